// How the scalars of a multi-exponentiation are cut into windows: all windows as even as can be, digits signed.

// Bits that all windows cover: scalars are at most r/2 in size, and signed digits need one bit more.
#define DIGIT_BITS 254
#define MAX_WINDOWS 64
// Places for points with scalar ±1; a multiple of the batch size, so that a batch never meets one twice.
#define UNIT_PLACES 1024
#define SPARES 2048
#define NOBODY UINT32_MAX

typedef struct {
  uint32_t windows;
  uint32_t bucketCount; // of the widest window
  uint32_t rowCount, columnCount; // buckets stand in a table: bucket i is in row i / columnCount and column i % columnCount
  uint32_t start[MAX_WINDOWS + 1]; // first bit of each window
  element offsets; // half of each window's range: added to a scalar, its digits become unsigned
} plan;

static element halfOrder;

static void initialisePlan(void) {
  for (int k = 0; k < 4; k++) halfOrder.word[k] = fr_prime.word[k] >> 1 | (k < 3 ? fr_prime.word[k + 1] << 63 : 0);
}

// Number of windows that needs the fewest additions.
static uint32_t chooseWindows(uint32_t points) {
  uint32_t best = 0;
  double bestCost = 0;
  for (uint32_t count = 14; count <= MAX_WINDOWS; count++) {
    const uint32_t bits = (DIGIT_BITS + count - 1) / count;
    const double buckets = (double)(1u << (bits - 1));
    const double cost = count * (points + 2.2 * buckets + 50 * (double)(1u << (bits / 2)));
    if (best == 0 || cost < bestCost) {
      bestCost = cost;
      best = count;
    }
  }
  return best;
}

static plan planOf(uint32_t points) {
  plan p = {.windows = chooseWindows(points)};
  const uint32_t bits = (DIGIT_BITS + p.windows - 1) / p.windows;
  p.bucketCount = 1u << (bits - 1);
  p.columnCount = 1u << ((bits - 1) / 2);
  p.rowCount = p.bucketCount / p.columnCount;
  for (uint32_t w = 0; w <= p.windows; w++) p.start[w] = DIGIT_BITS * w / p.windows;
  for (uint32_t w = 1; w <= p.windows; w++) {
    const uint32_t bit = p.start[w] - 1;
    p.offsets.word[bit / 64] |= (uint64_t)1 << (bit % 64);
  }
  return p;
}

// The digit of a window that starts at this bit, in [−half, half).
static inline int32_t digitOf(const element *digits, uint32_t bit, int32_t half) {
  const uint32_t byte = bit / 8 < 24 ? bit / 8 : 24;
  uint64_t word;
  memcpy(&word, (const char *)digits + byte, sizeof word);
  return (int32_t)(word >> (bit - byte * 8) & (2 * (uint32_t)half - 1)) - half;
}

// o = scalar, or r − scalar if that is smaller; returns whether it is.
static inline bool shorten(element *o, const element *scalar) {
  element rest;
  *o = *scalar;
  if (!subtract(&rest, &halfOrder, scalar)) return false;
  subtract(o, &fr_prime, scalar);
  return true;
}
