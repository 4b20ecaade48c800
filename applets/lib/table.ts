/**
 * Tables of constants. `const XS: StaticArray<i32> = [0, 100, 250]` at the top level costs nothing until it is read, and `XS[i]`
 * with a computed unsigned index about 20 constraints; an index beyond the table rejects the reading.
 */

/**
 * The value at `x` of the line through the points (xs[k], ys[k]); below the first and above the last point, that point's y.
 * `xs` ascend, and neighbours differ by less than 2^31 in x and in y. Between two points the result is rounded towards the left one,
 * so it is monotone where the points are. The tables are constants of 2 to 64 points.
 */
export function interpolate(xs: StaticArray<i32>, ys: StaticArray<i32>, x: i32): i32 {
  const last = xs.length - 1
  let left = xs[0]
  let base = ys[0]
  let run: u32 = xs[1] - xs[0]
  let rise = difference(ys[0], ys[1])
  let falls = ys[1] < ys[0]
  for (let k = 1; k < last; k++) {
    if (x >= xs[k]) {
      left = xs[k]
      base = ys[k]
      run = xs[k + 1] - xs[k]
      rise = difference(ys[k], ys[k + 1])
      falls = ys[k + 1] < ys[k]
    }
  }
  const inside = x < xs[0] ? xs[0] : x > xs[last] ? xs[last] : x
  const offset = u32(inside - left) & longestRun(xs)
  const step = i32((u64(offset) * rise) / run)
  return falls ? base - step : base + step
}

function difference(a: i32, b: i32): u32 {
  return u32(a < b ? b - a : a - b)
}

/** As many ones as the longest way between two points has bits: a mask that cuts nothing off, but tells the compiler so. */
function longestRun(xs: StaticArray<i32>): u32 {
  let mask: u32 = 0
  for (let k = 1; k < xs.length; k++) mask |= u32(-1) >> u32(clz(xs[k] - xs[k - 1]))
  return mask
}
