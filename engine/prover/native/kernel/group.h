// The points of one group, included once per group with GROUP(name), COORDINATE(name) and the type `coordinate`.
// An affine point is x, y; the point at infinity has EMPTY as the highest word of x. A projective point is X, Y, ZZ, ZZZ with x = X/ZZ,
// y = Y/ZZZ and ZZ³ = ZZZ²; ZZ = 0 at infinity.
// Formulas: https://hyperelliptic.org/EFD/g1p/auto-shortw-xyzz.html (add-2008-s, dbl-2008-s-1).

typedef struct { coordinate x, y; } GROUP(affine);
typedef struct { coordinate x, y, zz, zzz; } GROUP(projective);

static inline uint64_t *GROUP(mark)(const GROUP(affine) *a) {
  return &((element *)&a->x)->word[3];
}

static inline bool GROUP(isEmpty)(const GROUP(affine) *a) {
  return *GROUP(mark)(a) == EMPTY;
}

static inline void GROUP(setEmpty)(GROUP(affine) *a) {
  *GROUP(mark)(a) = EMPTY;
}

static inline void GROUP(negate)(coordinate *o, const coordinate *a) {
  static const coordinate zero;
  COORDINATE(sub)(o, &zero, a);
}

static inline void GROUP(copy)(GROUP(affine) *o, const GROUP(affine) *a, bool negative) {
  *o = *a;
  if (negative) GROUP(negate)(&o->y, &a->y);
}

static inline void GROUP(setInfinity)(GROUP(projective) *a) {
  memset(a, 0, sizeof *a);
}

static inline bool GROUP(isInfinity)(const GROUP(projective) *a) {
  return COORDINATE(isZero)(&a->zz);
}

static void GROUP(fromAffine)(GROUP(projective) *o, const GROUP(affine) *a) {
  GROUP(setInfinity)(o);
  if (GROUP(isEmpty)(a)) return;
  o->x = a->x;
  o->y = a->y;
  o->zz = COORDINATE(one);
  o->zzz = COORDINATE(one);
}

// o = a with one inversion, coordinates in [0, p)
static void GROUP(toAffine)(GROUP(affine) *o, const GROUP(projective) *a) {
  if (GROUP(isInfinity)(a)) {
    GROUP(setEmpty)(o);
    return;
  }
  coordinate inverse, square;
  COORDINATE(inverse)(&inverse, &a->zzz);
  COORDINATE(mul)(&square, &inverse, &a->zz); // 1/Z
  COORDINATE(sqr)(&square, &square);
  COORDINATE(mul)(&square, &square, &a->x);
  COORDINATE(mul)(&inverse, &inverse, &a->y);
  COORDINATE(canonical)(&o->x, &square);
  COORDINATE(canonical)(&o->y, &inverse);
}

// a = 2a
static void GROUP(twice)(GROUP(projective) *a) {
  if (GROUP(isInfinity)(a)) return;
  coordinate u, v, w, s, m, t;
  COORDINATE(add)(&u, &a->y, &a->y);
  COORDINATE(sqr)(&v, &u);
  COORDINATE(mul)(&w, &u, &v);
  COORDINATE(mul)(&s, &a->x, &v);
  COORDINATE(sqr)(&t, &a->x);
  COORDINATE(add)(&m, &t, &t);
  COORDINATE(add)(&m, &m, &t);
  COORDINATE(sqr)(&a->x, &m);
  COORDINATE(sub)(&a->x, &a->x, &s);
  COORDINATE(sub)(&a->x, &a->x, &s);
  COORDINATE(mul)(&t, &w, &a->y);
  COORDINATE(sub)(&s, &s, &a->x);
  COORDINATE(mul)(&a->y, &m, &s);
  COORDINATE(sub)(&a->y, &a->y, &t);
  COORDINATE(mul)(&a->zz, &v, &a->zz);
  COORDINATE(mul)(&a->zzz, &w, &a->zzz);
}

// a = a + b
static void GROUP(addProjective)(GROUP(projective) *a, const GROUP(projective) *b) {
  if (GROUP(isInfinity)(b)) return;
  if (GROUP(isInfinity)(a)) {
    *a = *b;
    return;
  }
  coordinate u, p, s, r, pp, ppp;
  COORDINATE(mul)(&u, &a->x, &b->zz);
  COORDINATE(mul)(&p, &b->x, &a->zz);
  COORDINATE(mul)(&s, &a->y, &b->zzz);
  COORDINATE(mul)(&r, &b->y, &a->zzz);
  COORDINATE(sub)(&p, &p, &u);
  COORDINATE(sub)(&r, &r, &s);
  if (COORDINATE(isZero)(&p)) {
    if (COORDINATE(isZero)(&r)) GROUP(twice)(a);
    else GROUP(setInfinity)(a);
    return;
  }
  COORDINATE(sqr)(&pp, &p);
  COORDINATE(mul)(&ppp, &p, &pp);
  COORDINATE(mul)(&u, &u, &pp);
  COORDINATE(mul)(&s, &s, &ppp);
  COORDINATE(mul)(&a->zz, &a->zz, &b->zz);
  COORDINATE(mul)(&a->zz, &a->zz, &pp);
  COORDINATE(mul)(&a->zzz, &a->zzz, &b->zzz);
  COORDINATE(mul)(&a->zzz, &a->zzz, &ppp);
  COORDINATE(sqr)(&a->x, &r);
  COORDINATE(sub)(&a->x, &a->x, &ppp);
  COORDINATE(sub)(&a->x, &a->x, &u);
  COORDINATE(sub)(&a->x, &a->x, &u);
  COORDINATE(sub)(&u, &u, &a->x);
  COORDINATE(mul)(&a->y, &r, &u);
  COORDINATE(sub)(&a->y, &a->y, &s);
}

// a = a + b
static void GROUP(addAffine)(GROUP(projective) *a, const GROUP(affine) *b) {
  GROUP(projective) lifted;
  GROUP(fromAffine)(&lifted, b);
  GROUP(addProjective)(a, &lifted);
}

// o = a + b
static void GROUP(sum)(GROUP(affine) *o, const GROUP(affine) *a, const GROUP(affine) *b) {
  GROUP(projective) total;
  GROUP(fromAffine)(&total, a);
  GROUP(addAffine)(&total, b);
  GROUP(toAffine)(o, &total);
}

// o = scalar·a
static void GROUP(multiply)(GROUP(affine) *o, const GROUP(affine) *a, const element *scalar) {
  GROUP(projective) total;
  GROUP(setInfinity)(&total);
  for (int bit = 255; bit >= 0; bit--) {
    GROUP(twice)(&total);
    if (scalar->word[bit / 64] >> (bit % 64) & 1) GROUP(addAffine)(&total, a);
  }
  GROUP(toAffine)(o, &total);
}

// Whether y² = x³ + b.
static bool GROUP(isOnCurve)(const GROUP(affine) *a, const coordinate *b) {
  coordinate cube, square;
  COORDINATE(sqr)(&cube, &a->x);
  COORDINATE(mul)(&cube, &cube, &a->x);
  COORDINATE(add)(&cube, &cube, b);
  COORDINATE(sqr)(&square, &a->y);
  COORDINATE(sub)(&cube, &cube, &square);
  return COORDINATE(isZero)(&cube);
}

// Affine additions, many at a time: all divisions of a batch share one inversion, so an addition costs five multiplications and a
// square. A target must not be queued twice in one batch, nor be a source of it. Targets change when the batch is flushed.

static GROUP(affine) *GROUP(targets)[BATCH_SIZE];
static struct { const GROUP(affine) *point; uint64_t kind; } GROUP(sources)[BATCH_SIZE];
static coordinate GROUP(divisors)[BATCH_SIZE];
static coordinate GROUP(prefixes)[BATCH_SIZE + 1]; // product of the divisors before each
static int GROUP(pending);
static uint32_t GROUP(batchNumber) = 1; // grows with every flush; what was queued under another number is done

// `slope` holds the inverse of the divisor.
static inline void GROUP(addWithInverse)(GROUP(affine) *target, const GROUP(affine) *source, uint64_t kind, coordinate *slope) {
  coordinate t, x;
  if (kind == DOUBLE) {
    COORDINATE(sqr)(&x, &target->x);
    COORDINATE(add)(&t, &x, &x);
    COORDINATE(add)(&t, &t, &x);
  } else if (kind == NEGATIVE) {
    COORDINATE(add)(&t, &source->y, &target->y);
    GROUP(negate)(&t, &t);
  } else {
    COORDINATE(sub)(&t, &source->y, &target->y);
  }
  COORDINATE(mul)(slope, &t, slope);
  COORDINATE(sqr)(&x, slope);
  COORDINATE(sub)(&x, &x, &target->x);
  COORDINATE(sub)(&x, &x, &source->x);
  COORDINATE(sub)(&t, &target->x, &x);
  COORDINATE(mul)(&t, slope, &t);
  COORDINATE(sub)(&target->y, &t, &target->y);
  target->x = x;
}

static void GROUP(flush)(void) {
  if (GROUP(pending) == 0) return;
  GROUP(batchNumber)++;
  coordinate inverted, slope;
  COORDINATE(inverse)(&inverted, &GROUP(prefixes)[GROUP(pending)]);
  for (int k = GROUP(pending) - 1; k >= 0; k--) {
    if (k >= AHEAD) __builtin_prefetch(GROUP(targets)[k - AHEAD], 1);
    COORDINATE(mul)(&slope, &inverted, &GROUP(prefixes)[k]);
    COORDINATE(mul)(&inverted, &inverted, &GROUP(divisors)[k]);
    GROUP(addWithInverse)(GROUP(targets)[k], GROUP(sources)[k].point, GROUP(sources)[k].kind, &slope);
  }
  GROUP(pending) = 0;
}

// target = target ± source, in this batch or at once. Returns whether it is queued.
static inline bool GROUP(enqueue)(GROUP(affine) *target, const GROUP(affine) *source, bool negative) {
  if (GROUP(isEmpty)(source)) return false;
  if (GROUP(isEmpty)(target)) {
    GROUP(copy)(target, source, negative);
    return false;
  }
  const int k = GROUP(pending);
  coordinate *divisor = &GROUP(divisors)[k];
  uint64_t kind = negative ? NEGATIVE : PLAIN;
  COORDINATE(sub)(divisor, &source->x, &target->x);
  if (COORDINATE(isZero)(divisor)) {
    coordinate t;
    if (negative) COORDINATE(add)(&t, &target->y, &source->y);
    else COORDINATE(sub)(&t, &target->y, &source->y);
    if (!COORDINATE(isZero)(&t)) {
      GROUP(setEmpty)(target);
      return false;
    }
    COORDINATE(add)(divisor, &target->y, &target->y);
    kind = DOUBLE;
  }
  GROUP(targets)[k] = target;
  GROUP(sources)[k].point = source;
  GROUP(sources)[k].kind = kind;
  if (k == 0) GROUP(prefixes)[0] = COORDINATE(one);
  COORDINATE(mul)(&GROUP(prefixes)[k + 1], &GROUP(prefixes)[k], divisor);
  if (++GROUP(pending) == BATCH_SIZE) GROUP(flush)();
  return true;
}
