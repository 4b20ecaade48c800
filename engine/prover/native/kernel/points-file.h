// Points as files hold them, included once per group after group.h: coordinates of 32 bytes, little-endian, times 2^256, all zero for
// infinity. That is the form of an element, so that checked points are used as they are.

typedef struct {
  uint32_t count;
  uint32_t *indices; // the wire or row that each point belongs to
  GROUP(affine) *points;
} GROUP(bases);

// Whether this is a point of the curve that is not infinity; −1 if it is no point at all.
static int GROUP(checkPoint)(const GROUP(affine) *a, const coordinate *b) {
  const element *parts = (const element *)a;
  uint64_t bits = 0;
  for (size_t k = 0; k < sizeof *a / sizeof *parts; k++) {
    if (!fq_isCanonical(&parts[k])) return -1;
    bits |= parts[k].word[0] | parts[k].word[1] | parts[k].word[2] | parts[k].word[3];
  }
  if (bits == 0) return 0;
  return GROUP(isOnCurve)(a, b) ? 1 : -1;
}

static GROUP(affine) GROUP(headerPoint)(const char *bytes, const coordinate *b) {
  GROUP(affine) point;
  memcpy(&point, bytes, sizeof point);
  if (GROUP(checkPoint)(&point, b) != 1) fail("a point of its header is not on the curve");
  return point;
}

// Reads a section of points into `bases`, point k with index first + k, and leaves infinity out.
static void GROUP(loadBases)(GROUP(bases) *bases, const container *c, const section *s, const char *name, uint32_t first,
                             const coordinate *b) {
  static GROUP(affine) piece[PIECE_ITEMS];
  const uint64_t total = s->size / sizeof *piece;
  bases->points = allocate(total * sizeof *piece);
  bases->indices = allocate(total * sizeof *bases->indices);
  for (uint64_t at = 0; at < total; at += PIECE_ITEMS) {
    const size_t items = total - at < PIECE_ITEMS ? total - at : PIECE_ITEMS;
    readSection(c, s, at * sizeof *piece, piece, items * sizeof *piece);
    endIfAbandoned();
    for (size_t k = 0; k < items; k++) {
      const int kind = GROUP(checkPoint)(&piece[k], b);
      if (kind < 0) fail("point %llu of section %s is not on the curve", (unsigned long long)(at + k), name);
      if (kind == 0) continue;
      bases->indices[bases->count] = first + (uint32_t)(at + k);
      bases->points[bases->count++] = piece[k];
    }
  }
  bases->points = shrink(bases->points, bases->count * sizeof *piece);
  bases->indices = shrink(bases->indices, bases->count * sizeof *bases->indices);
}
