// A Groth16 proof from a key and a witness, for the randomness r = s = 0, which needs no B in G1; it is made random afterwards with
// public means only, as engine/prover/proof-parts.ts explains: A/t, t·B + t·u·δ, C + u·A.

typedef struct {
  g1_affine a;
  g2_affine b;
  g1_affine c;
} groth16Proof;

// o[row] = Σ coefficient·witness[wire] over the rows of one matrix
static void evaluateRows(element *o, const key *k, uint32_t matrix) {
  const uint32_t rows = (uint32_t)1 << k->log;
  for (uint32_t row = 0; row < rows; row++) {
    const uint32_t *start = &k->rowStart[matrix * rows + row];
    element sum = {{0}};
    for (uint32_t at = start[0]; at < start[1]; at++) {
      element product;
      fr_mul(&product, &k->terms[at].coefficient, &k->witness[k->terms[at].wire]);
      fr_add(&sum, &sum, &product);
    }
    o[row] = sum;
  }
}

// The quotient's values on the odd half of twice the domain, as scalars for H, in polynomials[0].
static void computeQuotient(key *k) {
  const size_t rows = (size_t)1 << k->log;
  element **p = k->polynomials;
  evaluateRows(p[0], k, 0);
  evaluateRows(p[1], k, 1);
  for (size_t row = 0; row < rows; row++) fr_mul(&p[2][row], &p[0][row], &p[1][row]);
  for (int each = 0; each < 3; each++) {
    endIfAbandoned();
    spread(p[each], rows, k->toCoefficients, 0);
  }
  scaleCosets(p, k->log, &k->first, &k->step);
  for (int each = 0; each < 3; each++) {
    endIfAbandoned();
    gather(p[each], rows, k->toValues, 0);
  }
  for (size_t row = 0; row < rows; row++) {
    element product;
    fr_mul(&product, &p[0][row], &p[1][row]);
    fr_sub(&product, &product, &p[2][row]);
    fr_toPlain(&p[0][row], &product);
  }
}

static void checkWitness(const key *k) {
  static const element one = {{1}};
  for (uint32_t wire = 0; wire < k->wires; wire++) {
    if (!fr_isCanonical(&k->witness[wire])) fail("value %u of the witness is not below the field's order", wire);
  }
  if (memcmp(k->witness, &one, sizeof one) != 0) fail("the witness does not begin with 1");
}

// The key's witness is filled; `random` holds 1/t, t and u, none of them in Montgomery form.
static groth16Proof prove(key *k, const element random[3]) {
  beginPhase("quotient");
  checkWitness(k);
  computeQuotient(k);
  groth16Proof proof;
  g1_affine h;
  beginPhase("a");
  g1_msm(&proof.a, k->a.count, k->a.points, k->a.indices, k->witness, workspace);
  beginPhase("b");
  g2_msm(&proof.b, k->b2.count, k->b2.points, k->b2.indices, k->witness, workspace);
  beginPhase("c");
  g1_msm(&proof.c, k->c.count, k->c.points, k->c.indices, k->witness, workspace);
  beginPhase("h");
  g1_msm(&h, k->h.count, k->h.points, k->h.indices, k->polynomials[0], workspace);
  g1_sum(&proof.a, &proof.a, &k->alpha1);
  g2_sum(&proof.b, &proof.b, &k->beta2);
  g1_sum(&proof.c, &proof.c, &h);
  g1_affine product1;
  g2_affine product2;
  g1_multiply(&product1, &proof.a, &random[2]);
  g1_sum(&proof.c, &proof.c, &product1);
  g2_multiply(&product2, &k->delta2, &random[2]);
  g2_sum(&product2, &product2, &proof.b);
  g2_multiply(&proof.b, &product2, &random[1]);
  g1_multiply(&product1, &proof.a, &random[0]);
  proof.a = product1;
  if (g1_isEmpty(&proof.a) || g2_isEmpty(&proof.b) || g1_isEmpty(&proof.c)) fail("a part of the proof is the point at infinity");
  element *coordinates = (element *)&proof;
  for (size_t each = 0; each < sizeof proof / sizeof *coordinates; each++) fq_toPlain(&coordinates[each], &coordinates[each]);
  return proof;
}
