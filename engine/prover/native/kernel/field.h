// One prime field of BN254, included once per field with FIELD(name), the words of the prime P0..P3 and NEGATIVE_INVERSE, −1/p mod 2^64.
// An element is four 64-bit words, least significant first, in Montgomery form with R = 2^256, and lies in [0, 2p): 4p < 2^256, so
// that no sum overflows, and a product of two such elements needs no last subtraction. No code here is constant-time.

#define DOUBLE0 (P0 << 1)
#define DOUBLE1 (P1 << 1 | P0 >> 63)
#define DOUBLE2 (P2 << 1 | P1 >> 63)
#define DOUBLE3 (P3 << 1 | P2 >> 63)

static const element FIELD(prime) = {{P0, P1, P2, P3}};
static element FIELD(one), FIELD(square);

// o = a − 2p if that is not negative
static inline void FIELD(reduce)(element *o, const element *a) {
  uint64_t d0, d1, d2, d3;
  unsigned char borrow = 0;
  borrow = subtractWord(borrow, a->word[0], DOUBLE0, &d0);
  borrow = subtractWord(borrow, a->word[1], DOUBLE1, &d1);
  borrow = subtractWord(borrow, a->word[2], DOUBLE2, &d2);
  borrow = subtractWord(borrow, a->word[3], DOUBLE3, &d3);
  o->word[0] = borrow ? a->word[0] : d0;
  o->word[1] = borrow ? a->word[1] : d1;
  o->word[2] = borrow ? a->word[2] : d2;
  o->word[3] = borrow ? a->word[3] : d3;
}

static inline void FIELD(add)(element *o, const element *a, const element *b) {
  element sum;
  unsigned char carry = 0;
  carry = addWord(carry, a->word[0], b->word[0], &sum.word[0]);
  carry = addWord(carry, a->word[1], b->word[1], &sum.word[1]);
  carry = addWord(carry, a->word[2], b->word[2], &sum.word[2]);
  addWord(carry, a->word[3], b->word[3], &sum.word[3]);
  FIELD(reduce)(o, &sum);
}

static inline void FIELD(sub)(element *o, const element *a, const element *b) {
  uint64_t d0, d1, d2, d3;
  unsigned char carry = 0;
  carry = subtractWord(carry, a->word[0], b->word[0], &d0);
  carry = subtractWord(carry, a->word[1], b->word[1], &d1);
  carry = subtractWord(carry, a->word[2], b->word[2], &d2);
  carry = subtractWord(carry, a->word[3], b->word[3], &d3);
  const uint64_t negative = (uint64_t)0 - carry;
  carry = addWord(0, d0, DOUBLE0 & negative, &o->word[0]);
  carry = addWord(carry, d1, DOUBLE1 & negative, &o->word[1]);
  carry = addWord(carry, d2, DOUBLE2 & negative, &o->word[2]);
  addWord(carry, d3, DOUBLE3 & negative, &o->word[3]);
}

// t = (t + a·factor + m·p)/2^64 with the m that makes it whole; t stays below a + p.
#define MULTIPLY_STEP(factor)                                                                 \
  {                                                                                           \
    const uint64_t f = factor;                                                                \
    uint64_t t4;                                                                              \
    wide x0 = (wide)a0 * f, x1 = (wide)a1 * f, x2 = (wide)a2 * f, x3 = (wide)a3 * f;          \
    unsigned char c = addWord(0, t0, (uint64_t)x0, &t0);                                      \
    c = addWord(c, t1, (uint64_t)x1, &t1);                                                    \
    c = addWord(c, t2, (uint64_t)x2, &t2);                                                    \
    c = addWord(c, t3, (uint64_t)x3, &t3);                                                    \
    addWord(c, (uint64_t)(x3 >> 64), 0, &t4);                                                 \
    c = addWord(0, t1, (uint64_t)(x0 >> 64), &t1);                                            \
    c = addWord(c, t2, (uint64_t)(x1 >> 64), &t2);                                            \
    c = addWord(c, t3, (uint64_t)(x2 >> 64), &t3);                                            \
    addWord(c, t4, 0, &t4);                                                                   \
    const uint64_t m = t0 * NEGATIVE_INVERSE;                                                 \
    x0 = (wide)m * P0, x1 = (wide)m * P1, x2 = (wide)m * P2, x3 = (wide)m * P3;               \
    c = addWord(0, t0, (uint64_t)x0, &t0);                                                    \
    c = addWord(c, t1, (uint64_t)x1, &t0);                                                    \
    c = addWord(c, t2, (uint64_t)x2, &t1);                                                    \
    c = addWord(c, t3, (uint64_t)x3, &t2);                                                    \
    addWord(c, t4, 0, &t3);                                                                   \
    c = addWord(0, t0, (uint64_t)(x0 >> 64), &t0);                                            \
    c = addWord(c, t1, (uint64_t)(x1 >> 64), &t1);                                            \
    c = addWord(c, t2, (uint64_t)(x2 >> 64), &t2);                                            \
    addWord(c, t3, (uint64_t)(x3 >> 64), &t3);                                                \
  }

static inline void FIELD(mul)(element *o, const element *a, const element *b) {
  uint64_t a0 = a->word[0], a1 = a->word[1], a2 = a->word[2], a3 = a->word[3];
  uint64_t t0 = 0, t1 = 0, t2 = 0, t3 = 0;
  uint64_t b0 = b->word[0], b1 = b->word[1], b2 = b->word[2], b3 = b->word[3];
  MULTIPLY_STEP(b0)
  MULTIPLY_STEP(b1)
  MULTIPLY_STEP(b2)
  MULTIPLY_STEP(b3)
  o->word[0] = t0;
  o->word[1] = t1;
  o->word[2] = t2;
  o->word[3] = t3;
}

static inline void FIELD(sqr)(element *o, const element *a) {
  FIELD(mul)(o, a, a);
}

// The eight words of t, below 8p², divided by 2^256.
static inline void FIELD(divide)(element *o, const uint64_t t[8]) {
  uint64_t t0 = t[0], t1 = t[1], t2 = t[2], t3 = t[3], carry = 0;
#define REDUCE_STEP(above)                                 \
  {                                                        \
    uint64_t m = t0 * NEGATIVE_INVERSE;                    \
    wide y = (wide)m * P0 + t0;                            \
    y = (wide)m * P1 + t1 + (uint64_t)(y >> 64);           \
    t0 = (uint64_t)y;                                      \
    y = (wide)m * P2 + t2 + (uint64_t)(y >> 64);           \
    t1 = (uint64_t)y;                                      \
    y = (wide)m * P3 + t3 + (uint64_t)(y >> 64);           \
    t2 = (uint64_t)y;                                      \
    y = (wide)above + carry + (uint64_t)(y >> 64);         \
    t3 = (uint64_t)y;                                      \
    carry = (uint64_t)(y >> 64);                           \
  }
  REDUCE_STEP(t[4])
  REDUCE_STEP(t[5])
  REDUCE_STEP(t[6])
  REDUCE_STEP(t[7])
#undef REDUCE_STEP
  element below3p = {{t0, t1, t2, t3}};
  FIELD(reduce)(o, &below3p);
}

// o = a in [0, p)
static inline void FIELD(canonical)(element *o, const element *a) {
  element difference;
  *o = *a;
  if (!subtract(&difference, a, &FIELD(prime))) *o = difference;
}

static inline bool FIELD(isZero)(const element *a) {
  return (a->word[0] | a->word[1] | a->word[2] | a->word[3]) == 0 ||
         (a->word[0] == P0 && a->word[1] == P1 && a->word[2] == P2 && a->word[3] == P3);
}

// Whether the words are below p.
static inline bool FIELD(isCanonical)(const element *a) {
  element difference;
  return subtract(&difference, a, &FIELD(prime));
}

// Montgomery form of a number below p, and back.
static void FIELD(fromPlain)(element *o, const element *a) {
  FIELD(mul)(o, a, &FIELD(square));
}

static void FIELD(toPlain)(element *o, const element *a) {
  static const element one = {{1}};
  FIELD(mul)(o, a, &one);
  FIELD(canonical)(o, o);
}

// o = a^exponent, 256 bits
static void FIELD(power)(element *o, const element *a, const element *exponent) {
  element table[16];
  table[0] = FIELD(one);
  for (int k = 1; k < 16; k++) FIELD(mul)(&table[k], &table[k - 1], a);
  element result = FIELD(one);
  for (int digit = 63; digit >= 0; digit--) {
    for (int k = 0; k < 4; k++) FIELD(sqr)(&result, &result);
    FIELD(mul)(&result, &result, &table[exponent->word[digit / 16] >> (digit % 16 * 4) & 15]);
  }
  *o = result;
}

// o = 1/a; 0 for 0
static void FIELD(inverse)(element *o, const element *a) {
  static const element exponent = {{P0 - 2, P1, P2, P3}};
  FIELD(power)(o, a, &exponent);
}

static void FIELD(initialise)(void) {
  element value = {{1}};
  for (int k = 0; k < 256; k++) FIELD(add)(&value, &value, &value);
  FIELD(canonical)(&FIELD(one), &value);
  for (int k = 0; k < 256; k++) FIELD(add)(&value, &value, &value);
  FIELD(canonical)(&FIELD(square), &value);
}

#undef MULTIPLY_STEP
#undef DOUBLE0
#undef DOUBLE1
#undef DOUBLE2
#undef DOUBLE3
