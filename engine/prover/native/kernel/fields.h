// The two prime fields of BN254, and the extension of the base field by i² = −1.

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef unsigned __int128 wide;
typedef struct { uint64_t word[4]; } element;

#if defined(__x86_64__)
#include <immintrin.h>
static inline unsigned char addWord(unsigned char carry, uint64_t a, uint64_t b, uint64_t *o) {
  unsigned long long sum;
  carry = _addcarry_u64(carry, a, b, &sum);
  *o = sum;
  return carry;
}
static inline unsigned char subtractWord(unsigned char borrow, uint64_t a, uint64_t b, uint64_t *o) {
  unsigned long long difference;
  borrow = _subborrow_u64(borrow, a, b, &difference);
  *o = difference;
  return borrow;
}
#else
static inline unsigned char addWord(unsigned char carry, uint64_t a, uint64_t b, uint64_t *o) {
  wide t = (wide)a + b + carry;
  *o = (uint64_t)t;
  return (unsigned char)(t >> 64);
}
static inline unsigned char subtractWord(unsigned char borrow, uint64_t a, uint64_t b, uint64_t *o) {
  wide t = (wide)a - b - borrow;
  *o = (uint64_t)t;
  return (unsigned char)(t >> 64) & 1;
}
#endif

// o = a − b; returns whether that is negative, in which case o is 2^256 too large.
static inline bool subtract(element *o, const element *a, const element *b) {
  unsigned char borrow = 0;
  for (int k = 0; k < 4; k++) borrow = subtractWord(borrow, a->word[k], b->word[k], &o->word[k]);
  return borrow;
}

#define FIELD(name) fq_##name
#define P0 0x3c208c16d87cfd47u
#define P1 0x97816a916871ca8du
#define P2 0xb85045b68181585du
#define P3 0x30644e72e131a029u
#define NEGATIVE_INVERSE 0x87d20782e4866389u
#include "field.h"
#undef FIELD
#undef P0
#undef P1
#undef NEGATIVE_INVERSE

#define FIELD(name) fr_##name
#define P0 0x43e1f593f0000001u
#define P1 0x2833e84879b97091u
#define NEGATIVE_INVERSE 0xc2e1f593efffffffu
#include "field.h"
#undef FIELD
#undef P0
#undef P1
#undef P2
#undef P3
#undef NEGATIVE_INVERSE

typedef struct { element re, im; } element2;

static element2 fq2_one;

static inline void fq2_add(element2 *o, const element2 *a, const element2 *b) {
  fq_add(&o->re, &a->re, &b->re);
  fq_add(&o->im, &a->im, &b->im);
}

static inline void fq2_sub(element2 *o, const element2 *a, const element2 *b) {
  fq_sub(&o->re, &a->re, &b->re);
  fq_sub(&o->im, &a->im, &b->im);
}

static inline bool fq2_isZero(const element2 *a) {
  return fq_isZero(&a->re) && fq_isZero(&a->im);
}

static inline void multiplyWide(uint64_t o[8], const element *a, const element *b) {
  wide t;
  for (int k = 0; k < 4; k++) o[k] = 0;
  for (int i = 0; i < 4; i++) {
    uint64_t carry = 0;
    for (int k = 0; k < 4; k++) {
      t = (wide)a->word[k] * b->word[i] + o[i + k] + carry;
      o[i + k] = (uint64_t)t;
      carry = (uint64_t)(t >> 64);
    }
    o[i + 4] = carry;
  }
}

static inline void subtractWide(uint64_t o[8], const uint64_t a[8]) {
  unsigned char borrow = 0;
  for (int k = 0; k < 8; k++) borrow = subtractWord(borrow, o[k], a[k], &o[k]);
}

static inline void addWide(uint64_t o[8], const uint64_t a[8]) {
  unsigned char carry = 0;
  for (int k = 0; k < 8; k++) carry = addWord(carry, o[k], a[k], &o[k]);
}

static inline void addWords(element *o, const element *a, const element *b) {
  unsigned char carry = 0;
  for (int k = 0; k < 4; k++) carry = addWord(carry, a->word[k], b->word[k], &o->word[k]);
}

static uint64_t fourSquares[8]; // 4p², larger than a product of two elements

// Karatsuba's three products, with two reductions for all.
static inline void fq2_mul(element2 *o, const element2 *a, const element2 *b) {
  uint64_t re[8], im[8], both[8];
  element sumA, sumB;
  addWords(&sumA, &a->re, &a->im);
  addWords(&sumB, &b->re, &b->im);
  multiplyWide(re, &a->re, &b->re);
  multiplyWide(im, &a->im, &b->im);
  multiplyWide(both, &sumA, &sumB);
  subtractWide(both, re);
  subtractWide(both, im);
  addWide(re, fourSquares);
  subtractWide(re, im);
  fq_divide(&o->re, re);
  fq_divide(&o->im, both);
}

static inline void fq2_sqr(element2 *o, const element2 *a) {
  element sum, difference, twice;
  fq_add(&sum, &a->re, &a->im);
  fq_sub(&difference, &a->re, &a->im);
  fq_add(&twice, &a->re, &a->re);
  fq_mul(&o->im, &twice, &a->im);
  fq_mul(&o->re, &sum, &difference);
}

static inline void fq2_canonical(element2 *o, const element2 *a) {
  fq_canonical(&o->re, &a->re);
  fq_canonical(&o->im, &a->im);
}

// (u − v·i)/(u² + v²)
static void fq2_inverse(element2 *o, const element2 *a) {
  static const element zero;
  element norm, square;
  fq_sqr(&norm, &a->re);
  fq_sqr(&square, &a->im);
  fq_add(&norm, &norm, &square);
  fq_inverse(&norm, &norm);
  fq_sub(&square, &zero, &a->im);
  fq_mul(&o->re, &a->re, &norm);
  fq_mul(&o->im, &square, &norm);
}

static void initialiseFields(void) {
  fq_initialise();
  fr_initialise();
  fq2_one.re = fq_one;
  element twice;
  addWords(&twice, &fq_prime, &fq_prime);
  multiplyWide(fourSquares, &twice, &twice);
}
