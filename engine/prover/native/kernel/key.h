// A proving key in memory: read once from a .zkey file, every point checked to be on its curve. The B points of G1 are not read at all.
// All space that a proof needs is taken here too: once a key is loaded, a proof fails for want of memory no more.

enum { ZKEY_PROTOCOL = 1, ZKEY_HEADER = 2, ZKEY_TERMS = 4, ZKEY_A = 5, ZKEY_B2 = 7, ZKEY_C = 8, ZKEY_H = 9 };
// Two field widths, two orders, three sizes; then α, β, β, γ, δ, δ.
enum { AT_WIRES = 72, AT_PUBLICS = 76, AT_DOMAIN = 80, AT_ALPHA1 = 84, AT_BETA2 = 212, AT_DELTA2 = 532, HEADER_BYTES = 660 };
#define GROTH16 1
#define TERM_BYTES 44
#define MAX_DOMAIN_LOG 27

typedef struct {
  uint32_t wire;
  element coefficient; // times 2^512, as the file has it: its product with a plain witness value is in Montgomery form
} term;

typedef struct {
  char *path;
  uint64_t lastUse;
  uint32_t wires, publics, log;
  g1_affine alpha1;
  g2_affine beta2, delta2;
  g1_bases a, c, h;
  g2_bases b2;
  uint32_t *rowStart; // of all rows of A, then all of B, then the end
  term *terms;
  element *toCoefficients, *toValues; // factors of the transforms
  element first, step;                // 1/n, and the root of order 2n that moves the domain to the odd half of the next
  element *witness, *polynomials[3];
} key;

static char *workspace; // of the largest multi-exponentiation of all keys
static size_t workspaceBytes;

static void freeKey(key *k) {
  void *blocks[] = {k->a.points,     k->a.indices,      k->c.points,   k->c.indices,     k->h.points,
                    k->h.indices,    k->b2.points,      k->b2.indices, k->rowStart,      k->terms,
                    k->toCoefficients, k->toValues,     k->witness,    k->polynomials[0], k->polynomials[1],
                    k->polynomials[2], k->path};
  for (size_t each = 0; each < sizeof blocks / sizeof *blocks; each++) free(blocks[each]);
  memset(k, 0, sizeof *k);
}

static void checkFields(const char *head) {
  const uint32_t width = sizeof(element);
  const bool isBase = readUint32(head) == width && memcmp(head + 4, &fq_prime, width) == 0;
  const bool isScalar = readUint32(head + 36) == width && memcmp(head + 40, &fr_prime, width) == 0;
  if (!isBase || !isScalar) fail("it is not over BN254");
}

static uint32_t domainLog(uint32_t size) {
  for (uint32_t log = 1; log <= MAX_DOMAIN_LOG; log++) {
    if (size == (uint32_t)1 << log) return log;
  }
  fail("its domain of %u is not a power of two from 2 to 2^%d", size, MAX_DOMAIN_LOG);
}

// Primitive root of unity of order 2^log, as snarkjs chooses it: 5^((r − 1)/2^log).
static void rootOfUnity(element *o, uint32_t log) {
  element exponent = fr_prime;
  exponent.word[0]--;
  for (uint32_t k = 0; k < log; k++) {
    for (int w = 0; w < 4; w++) exponent.word[w] = exponent.word[w] >> 1 | (w < 3 ? exponent.word[w + 1] << 63 : 0);
  }
  const element five = {{5}};
  fr_fromPlain(o, &five);
  fr_power(o, o, &exponent);
}

static void prepareDomain(key *k) {
  const size_t factors = (size_t)1 << (k->log - 1);
  element root;
  k->toCoefficients = allocate(factors * sizeof(element));
  k->toValues = allocate(factors * sizeof(element));
  rootOfUnity(&root, k->log);
  fillFactors(k->toValues, &root, k->log);
  fr_inverse(&root, &root);
  fillFactors(k->toCoefficients, &root, k->log);
  const element size = {{(uint64_t)1 << k->log}};
  fr_fromPlain(&k->first, &size);
  fr_inverse(&k->first, &k->first);
  rootOfUnity(&k->step, k->log + 1);
}

typedef void (*termUse)(key *k, const char *bytes, uint64_t number);

static void countTerm(key *k, const char *bytes, uint64_t number) {
  const uint32_t matrix = readUint32(bytes), row = readUint32(bytes + 4);
  element coefficient;
  memcpy(&coefficient, bytes + 12, sizeof coefficient);
  const uint32_t rows = (uint32_t)1 << k->log;
  if (matrix > 1 || row >= rows || readUint32(bytes + 8) >= k->wires || !fr_isCanonical(&coefficient)) {
    fail("term %llu of section terms names no row, wire or coefficient of the circuit", (unsigned long long)number);
  }
  k->rowStart[matrix * rows + row + 2]++;
}

// rowStart[row + 1] moves from the start of the row to its end, which is the start of the next.
static void placeTerm(key *k, const char *bytes, uint64_t number) {
  (void)number;
  term *place = &k->terms[k->rowStart[(readUint32(bytes) << k->log) + readUint32(bytes + 4) + 1]++];
  place->wire = readUint32(bytes + 8);
  memcpy(&place->coefficient, bytes + 12, sizeof place->coefficient);
}

static void eachTerm(key *k, const container *c, const section *s, uint64_t total, termUse use) {
  static char piece[PIECE_ITEMS * TERM_BYTES];
  for (uint64_t at = 0; at < total; at += PIECE_ITEMS) {
    const size_t items = total - at < PIECE_ITEMS ? total - at : PIECE_ITEMS;
    readSection(c, s, 4 + at * TERM_BYTES, piece, items * TERM_BYTES);
    endIfAbandoned();
    for (size_t i = 0; i < items; i++) use(k, piece + i * TERM_BYTES, at + i);
  }
}

// Reads the terms twice: to count those of each row, and to put them there.
static void loadTerms(key *k, const container *c) {
  const section *s = findSection(c, ZKEY_TERMS, "terms");
  char count[4];
  readSection(c, s, 0, count, sizeof count);
  const uint64_t total = readUint32(count);
  if (s->size != 4 + total * TERM_BYTES) fail("section terms has not the size of %llu terms", (unsigned long long)total);
  const size_t rows = (size_t)2 << k->log;
  k->rowStart = allocate((rows + 2) * sizeof *k->rowStart);
  memset(k->rowStart, 0, (rows + 2) * sizeof *k->rowStart);
  k->terms = allocate(total * sizeof *k->terms);
  eachTerm(k, c, s, total, countTerm);
  for (size_t row = 2; row <= rows; row++) k->rowStart[row] += k->rowStart[row - 1];
  eachTerm(k, c, s, total, placeTerm);
}

static void takeWorkspace(key *k) {
  const size_t rows = (size_t)1 << k->log;
  k->witness = allocate(k->wires * sizeof *k->witness);
  for (int each = 0; each < 3; each++) k->polynomials[each] = allocate(rows * sizeof(element));
  size_t bytes = g2_layout(k->b2.count, NULL);
  const uint32_t counts[] = {k->a.count, k->c.count, k->h.count};
  for (int each = 0; each < 3; each++) {
    const size_t needed = g1_layout(counts[each], NULL);
    if (needed > bytes) bytes = needed;
  }
  if (bytes <= workspaceBytes) return;
  char *larger = allocate(bytes);
  free(workspace);
  workspace = larger;
  workspaceBytes = bytes;
}

// Fills an empty key from a file. Fails with what is wrong with the file, or how much memory is missing.
static void loadKey(key *k, container *c) {
  char head[HEADER_BYTES];
  parseContainer(c, "zkey", 1);
  readSection(c, sizedSection(c, ZKEY_PROTOCOL, "protocol", 4), 0, head, 4);
  if (readUint32(head) != GROTH16) fail("it is no key for Groth16");
  readSection(c, sizedSection(c, ZKEY_HEADER, "header", HEADER_BYTES), 0, head, HEADER_BYTES);
  checkFields(head);
  k->wires = readUint32(head + AT_WIRES);
  k->publics = readUint32(head + AT_PUBLICS);
  k->log = domainLog(readUint32(head + AT_DOMAIN));
  if (k->publics >= k->wires) fail("it has %u public signals and only %u wires", k->publics, k->wires);
  k->alpha1 = g1_headerPoint(head + AT_ALPHA1, &curve1);
  k->beta2 = g2_headerPoint(head + AT_BETA2, &curve2);
  k->delta2 = g2_headerPoint(head + AT_DELTA2, &curve2);
  const uint64_t wires = k->wires, privates = wires - k->publics - 1, rows = (uint64_t)1 << k->log;
  g1_loadBases(&k->a, c, sizedSection(c, ZKEY_A, "A", wires * sizeof(g1_affine)), "A", 0, &curve1);
  g2_loadBases(&k->b2, c, sizedSection(c, ZKEY_B2, "B2", wires * sizeof(g2_affine)), "B2", 0, &curve2);
  g1_loadBases(&k->c, c, sizedSection(c, ZKEY_C, "C", privates * sizeof(g1_affine)), "C", k->publics + 1, &curve1);
  g1_loadBases(&k->h, c, sizedSection(c, ZKEY_H, "H", rows * sizeof(g1_affine)), "H", 0, &curve1);
  prepareDomain(k);
  loadTerms(k, c);
  takeWorkspace(k);
}
