// Multi-exponentiation in one group, included once per group after group.h: the sum of scalar·point over many fixed points. Scalars 0 and
// ±1 are taken out; the others are cut into windows of signed digits, every window has a bucket per digit, and each digit adds its point
// to a bucket in large batches. An addition to a bucket that the batch holds already goes to a spare place, which is folded into the
// bucket later. The plan and the digits are msm-plan.h's.

typedef GROUP(affine) GROUP(Point);

// Space of one multi-exponentiation, cut from the workspace.
static struct {
  plan plan;
  element *digits;
  uint32_t *active, *stamps, *spareOwner;
  GROUP(Point) *spares, *units, *buckets, *rows, *columns;
  uint32_t spareCount;
} GROUP(state);

#define S GROUP(state)

// Lays the space out from `workspace` on; returns its size in bytes.
static size_t GROUP(layout)(uint32_t points, char *workspace) {
  S.plan = planOf(points);
  const plan *p = &S.plan;
  size_t used = 0;
#define TAKE(field, count)                      \
  S.field = (void *)(workspace + used);         \
  used += ((size_t)(count) * sizeof *S.field + 63) / 64 * 64;
  TAKE(digits, points)
  TAKE(active, points)
  TAKE(stamps, p->bucketCount)
  TAKE(spareOwner, SPARES)
  TAKE(spares, SPARES)
  TAKE(units, UNIT_PLACES)
  TAKE(buckets, (size_t)p->windows * p->bucketCount)
  TAKE(rows, p->windows * p->rowCount)
  TAKE(columns, p->windows * p->columnCount)
#undef TAKE
  return used;
}

static void GROUP(clear)(GROUP(Point) *points, size_t count) {
  for (size_t k = 0; k < count; k++) GROUP(setEmpty)(&points[k]);
}

// Adds the points with scalar ±1 into the unit places and prepares the digits of the rest. Returns how many those are.
static uint32_t GROUP(sortOut)(uint32_t points, const GROUP(Point) *bases, const uint32_t *indices, const element *scalars) {
  uint32_t count = 0, unit = 0;
  for (uint32_t k = 0; k < points; k++) {
    element *digits = &S.digits[count];
    const bool negative = shorten(digits, &scalars[indices[k]]);
    if ((digits->word[1] | digits->word[2] | digits->word[3]) == 0 && digits->word[0] <= 1) {
      if (digits->word[0] == 0) continue;
      if (unit == UNIT_PLACES) {
        GROUP(flush)();
        unit = 0;
      }
      GROUP(enqueue)(&S.units[unit++], &bases[k], negative);
      continue;
    }
    addWords(digits, digits, &S.plan.offsets);
    S.active[count++] = k << 1 | negative;
  }
  GROUP(flush)();
  return count;
}

// units[0] = the sum of all unit places
static void GROUP(sumUnits)(void) {
  for (uint32_t half = UNIT_PLACES / 2; half > 0; half /= 2) {
    for (uint32_t k = 0; k < half; k++) GROUP(enqueue)(&S.units[k], &S.units[k + half], false);
    GROUP(flush)();
  }
}

// One round of additions among spares; returns whether there was any. The stamps hold each bucket's spare without partner, plus one.
static bool GROUP(pairUp)(void) {
  memset(S.stamps, 0, S.plan.bucketCount * sizeof *S.stamps);
  for (uint32_t s = 0; s < S.spareCount; s++) {
    uint32_t *stamp = &S.stamps[S.spareOwner[s]];
    if (*stamp) {
      GROUP(enqueue)(&S.spares[*stamp - 1], &S.spares[s], false);
      *stamp = 0;
      S.spareOwner[s] = NOBODY;
    } else {
      *stamp = s + 1;
    }
  }
  GROUP(flush)();
  uint32_t kept = 0;
  for (uint32_t s = 0; s < S.spareCount; s++) {
    if (S.spareOwner[s] == NOBODY) continue;
    S.spares[kept] = S.spares[s];
    S.spareOwner[kept++] = S.spareOwner[s];
  }
  const bool found = kept != S.spareCount;
  S.spareCount = kept;
  return found;
}

// Adds spares of one bucket to each other, pair by pair, until each bucket has one at most, and that to its bucket.
static void GROUP(fold)(GROUP(Point) *table) {
  GROUP(flush)();
  while (GROUP(pairUp)()) {}
  for (uint32_t s = 0; s < S.spareCount; s++) GROUP(enqueue)(&table[S.spareOwner[s]], &S.spares[s], false);
  GROUP(flush)();
  S.spareCount = 0;
  memset(S.stamps, 0, S.plan.bucketCount * sizeof *S.stamps);
}

static inline void GROUP(addToBucket)(GROUP(Point) *table, uint32_t bucket, const GROUP(Point) *point, bool negative) {
  const uint32_t current = GROUP(batchNumber);
  if (S.stamps[bucket] != current) {
    if (GROUP(enqueue)(&table[bucket], point, negative)) S.stamps[bucket] = current;
    return;
  }
  GROUP(copy)(&S.spares[S.spareCount], point, negative);
  S.spareOwner[S.spareCount] = bucket;
  if (++S.spareCount == SPARES) GROUP(fold)(table);
}

// Adds every active point to its bucket of window w.
static void GROUP(accumulate)(uint32_t w, uint32_t count, const GROUP(Point) *bases) {
  const int32_t half = 1 << (S.plan.start[w + 1] - S.plan.start[w] - 1);
  GROUP(Point) *table = &S.buckets[(size_t)w * S.plan.bucketCount];
  memset(S.stamps, 0, S.plan.bucketCount * sizeof *S.stamps);
  S.spareCount = 0;
  for (uint32_t k = 0; k < count; k++) {
    if (k + AHEAD < count) {
      const int32_t next = digitOf(&S.digits[k + AHEAD], S.plan.start[w], half);
      if (next) __builtin_prefetch(&table[abs(next) - 1], 1);
      __builtin_prefetch(&bases[S.active[k + AHEAD] >> 1]);
    }
    const int32_t digit = digitOf(&S.digits[k], S.plan.start[w], half);
    if (digit == 0) continue;
    const bool negative = (S.active[k] & 1) != (digit < 0);
    GROUP(addToBucket)(table, abs(digit) - 1, &bases[S.active[k] >> 1], negative);
  }
  GROUP(fold)(table);
}

// Row and column sums of every window's buckets, all windows together so that the batches are large.
static void GROUP(collect)(void) {
  const uint32_t windows = S.plan.windows, rowCount = S.plan.rowCount, columnCount = S.plan.columnCount;
#define BUCKET(w, row, column) &S.buckets[((size_t)(w) * rowCount + (row)) * columnCount + (column)]
  GROUP(clear)(S.rows, windows * rowCount);
  GROUP(clear)(S.columns, windows * columnCount);
  for (uint32_t column = 0; column < columnCount; column++) {
    for (uint32_t k = 0; k < windows * rowCount; k++) {
      GROUP(enqueue)(&S.rows[k], BUCKET(k / rowCount, k % rowCount, column), false);
    }
    GROUP(flush)();
  }
  for (uint32_t row = 0; row < rowCount; row++) {
    for (uint32_t k = 0; k < windows * columnCount; k++) {
      GROUP(enqueue)(&S.columns[k], BUCKET(k / columnCount, row, k % columnCount), false);
    }
    GROUP(flush)();
  }
#undef BUCKET
}

// total += Σ (i + 1)·bucket[i] = columnCount·Σ row·rows[row] + Σ (column + 1)·columns[column]
static void GROUP(addWindow)(GROUP(projective) *total, uint32_t w) {
  GROUP(projective) running, weighted;
  GROUP(setInfinity)(&running);
  GROUP(setInfinity)(&weighted);
  for (uint32_t row = S.plan.rowCount - 1; row > 0; row--) {
    GROUP(addAffine)(&running, &S.rows[w * S.plan.rowCount + row]);
    GROUP(addProjective)(&weighted, &running);
  }
  for (uint32_t k = S.plan.columnCount; k > 1; k /= 2) GROUP(twice)(&weighted);
  GROUP(addProjective)(total, &weighted);
  GROUP(setInfinity)(&running);
  GROUP(setInfinity)(&weighted);
  for (uint32_t column = S.plan.columnCount; column > 0; column--) {
    GROUP(addAffine)(&running, &S.columns[w * S.plan.columnCount + column - 1]);
    GROUP(addProjective)(&weighted, &running);
  }
  GROUP(addProjective)(total, &weighted);
}

// o = Σ scalar[index[k]]·base[k], scalars below r and not in Montgomery form. No base is the point at infinity.
static void GROUP(msm)(GROUP(affine) *o, uint32_t points, const GROUP(affine) *bases, const uint32_t *indices,
                       const element *scalars, char *workspace) {
  GROUP(layout)(points, workspace);
  GROUP(clear)(S.units, UNIT_PLACES);
  GROUP(clear)(S.buckets, (size_t)S.plan.windows * S.plan.bucketCount);
  const uint32_t count = GROUP(sortOut)(points, bases, indices, scalars);
  GROUP(sumUnits)();
  for (uint32_t w = 0; w < S.plan.windows; w++) {
    endIfAbandoned();
    GROUP(accumulate)(w, count, bases);
  }
  GROUP(collect)();
  GROUP(projective) total;
  GROUP(setInfinity)(&total);
  for (uint32_t w = S.plan.windows; w > 0; w--) {
    for (uint32_t bit = S.plan.start[w - 1]; bit < S.plan.start[w]; bit++) GROUP(twice)(&total);
    GROUP(addWindow)(&total, w - 1);
  }
  GROUP(addAffine)(&total, S.units);
  GROUP(toAffine)(o, &total);
}

#undef S
