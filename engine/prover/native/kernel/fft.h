// Transforms between values on the 2^log-th roots of unity and coefficients, without a bit reversal: `spread` takes natural order to
// reversed order, `gather` takes it back. Block i of every layer has the factor root^(n/2 · reversed fraction of i): one table in that
// order serves all layers. Blocks are halved until they fit in a cache, and then done with all their layers.

// Fills a table of 2^(log − 1) factors for a root of order 2^log.
static void fillFactors(element *table, const element *root, uint32_t log) {
  element power = *root;
  table[0] = fr_one;
  // Entry 2^k + i is entry i times root^(n / 2^(k + 2)).
  for (int k = (int)log - 2; k >= 0; k--) {
    table[(size_t)1 << k] = power;
    fr_sqr(&power, &power);
  }
  for (uint32_t k = 0; k + 1 < log; k++) {
    const size_t step = (size_t)1 << k;
    for (size_t i = 1; i < step; i++) fr_mul(&table[step + i], &table[step], &table[i]);
  }
}

// Σ value[j]·root^(j·k) for every k of the block with this number, in bit-reversed order of k, in place.
static void spread(element *values, size_t size, const element *table, size_t block) {
  if (size == 1) return;
  const size_t half = size / 2;
  const element factor = table[block];
  for (size_t k = 0; k < half; k++) {
    element product;
    fr_mul(&product, &values[half + k], &factor);
    fr_sub(&values[half + k], &values[k], &product);
    fr_add(&values[k], &values[k], &product);
  }
  spread(values, half, table, 2 * block);
  spread(values + half, half, table, 2 * block + 1);
}

// Σ value[k]·root^(j·k) for every j in natural order, from values in bit-reversed order of k, in place.
static void gather(element *values, size_t size, const element *table, size_t block) {
  if (size == 1) return;
  const size_t half = size / 2;
  gather(values, half, table, 2 * block);
  gather(values + half, half, table, 2 * block + 1);
  const element factor = table[block];
  for (size_t k = 0; k < half; k++) {
    element difference;
    fr_sub(&difference, &values[k], &values[half + k]);
    fr_add(&values[k], &values[k], &values[half + k]);
    fr_mul(&values[half + k], &difference, &factor);
  }
}

static uint32_t reversed(uint32_t value, uint32_t bits) {
  uint32_t out = 0;
  for (uint32_t k = 0; k < bits; k++) out |= (value >> k & 1) << (bits - 1 - k);
  return out;
}

// Multiplies coefficient k of three polynomials in bit-reversed order by first·step^k.
static void scaleCosets(element *polynomials[3], uint32_t log, const element *first, const element *step) {
  element power = *first;
  for (uint32_t k = 0; k < (uint32_t)1 << log; k++) {
    const uint32_t at = reversed(k, log);
    for (int each = 0; each < 3; each++) fr_mul(&polynomials[each][at], &polynomials[each][at], &power);
    fr_mul(&power, &power, step);
  }
}
