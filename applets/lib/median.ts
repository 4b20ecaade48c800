/** Medians of 3, 5, 7 and 9 numbers by fixed exchanges (3, 7, 13 and 19 of them). An exchange costs the width in bits plus 3. */

function low<T>(a: T, b: T): T {
  return a < b ? a : b
}

/** Asks the same question as `low`, so that the two together cost one comparison. */
function high<T>(a: T, b: T): T {
  return a < b ? b : a
}

function low3<T>(a: T, b: T, c: T): T {
  return low(low(a, b), low(high(a, b), c))
}

function high3<T>(a: T, b: T, c: T): T {
  return high(high(a, b), c)
}

/** The middle of three; compared as T, signed or unsigned. */
export function median3<T>(a: T, b: T, c: T): T {
  return high(low(a, b), low(high(a, b), c))
}

/** The least and the most of two pairs cannot be the median. */
export function median5<T>(a: T, b: T, c: T, d: T, e: T): T {
  return median3(high(low(a, b), low(c, d)), low(high(a, b), high(c, d)), e)
}

/** A network of 13 exchanges; of some only one side matters. */
export function median7<T>(a: T, b: T, c: T, d: T, e: T, f: T, g: T): T {
  let t: T
  t = low(a, f)
  f = high(a, f)
  a = t
  t = low(a, d)
  d = high(a, d)
  a = t
  t = low(b, g)
  g = high(b, g)
  b = t
  t = low(c, e)
  e = high(c, e)
  c = t
  b = high(a, b)
  t = low(d, f)
  f = high(d, f)
  d = t
  t = low(c, g)
  g = high(c, g)
  c = t
  d = high(c, d)
  d = low(d, g)
  e = low(e, f)
  t = low(b, e)
  e = high(b, e)
  b = t
  d = high(b, d)
  d = low(d, e)
  return d
}

/** Of sorted triples, the median lies among the highest of the lows, the median of the middles and the lowest of the highs. */
export function median9<T>(a: T, b: T, c: T, d: T, e: T, f: T, g: T, h: T, i: T): T {
  const lows = high(high(low3(a, b, c), low3(d, e, f)), low3(g, h, i))
  const middles = median3(median3(a, b, c), median3(d, e, f), median3(g, h, i))
  const highs = low(low(high3(a, b, c), high3(d, e, f)), high3(g, h, i))
  return median3(lows, middles, highs)
}
