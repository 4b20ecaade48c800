/**
 * Positions on the globe in micro-degrees, and distances between them in integers.
 *
 * A micro-degree of latitude is 0.11132 m, nearly 912/8192 m; one of longitude is that times the cosine of the latitude, which a
 * table gives in steps of 2^20 micro-degrees. Flat-earth distances: within 2 % up to 60° of latitude and some tens of kilometres.
 * Lengths are cut to 1/8 m early, and large ones by shift and mask: a proof pays for every bit that a number might have.
 */
import { distance } from './integer'
import { require } from './record'
import { isqrt } from './root'

/** Lengths here are in 1/8 m. */
export const LENGTH_PER_METER: u64 = 8
const SCALE: u64 = 912
const SCALE_LOG2: u64 = 10
const LATITUDE_MAX: u32 = 90_000_000
const LONGITUDE_MAX: i32 = 180_000_000
const COSINE_STEP_LOG2: u32 = 20
/** Parts of a way are near below 2^21: 262 km. */
const NEAR_LOG2: u64 = 21
const NEAR_MASK: u64 = (1 << NEAR_LOG2) - 1

/** round(912 · cos φ) in the middle of each step of 2^20 micro-degrees of latitude, 0° to 90°. */
// prettier-ignore
const COSINES = memory.data<u16>([
  912, 912, 911, 910, 909, 907, 906, 903, 901, 898, 895, 892, 888, 884, 880, 876, 871, 866, 860, 855,
  849, 842, 836, 829, 822, 814, 807, 799, 791, 782, 774, 765, 755, 746, 736, 726, 716, 706, 695, 684,
  673, 661, 650, 638, 626, 614, 601, 589, 576, 563, 549, 536, 522, 509, 495, 481, 466, 452, 437, 423,
  408, 393, 378, 362, 347, 332, 316, 300, 284, 269, 253, 236, 220, 204, 188, 171, 155, 139, 122, 105,
  89, 72, 56, 39, 22, 7,
])

/** North-south part of the way between two latitudes. */
export function northLength(fromLat: i32, toLat: i32): u64 {
  return (u64(distance(fromLat, toLat)) * SCALE) >> SCALE_LOG2
}

/** East-west part of the way between two longitudes at latitude `lat`, the short way round. Rejects positions off the globe. */
export function eastLength(fromLon: i32, toLon: i32, lat: i32): u64 {
  const latitude = distance(lat, 0)
  require(latitude <= LATITUDE_MAX)
  require(u32(toLon + LONGITUDE_MAX) <= u32(2 * LONGITUDE_MAX))
  const direct = distance(fromLon, toLon)
  const around = direct > u32(LONGITUDE_MAX) ? u32(2 * LONGITUDE_MAX) - direct : direct
  const scale = load<u16>(COSINES + ((latitude >> COSINE_STEP_LOG2) << 1))
  return (u64(around) * u64(scale)) >> SCALE_LOG2
}

/** Whether a way of these two parts is at least `length` (below 2^21) long. */
export function reaches(north: u64, east: u64, length: u64): bool {
  if ((north >> NEAR_LOG2) + (east >> NEAR_LOG2) != 0) return true
  const y = north & NEAR_MASK
  const x = east & NEAR_MASK
  return y * y + x * x >= length * length
}

/** Length of a way of these two parts, rounded down. Rejects parts of 2^21 and more; `reaches` costs much less. */
export function wayLength(north: u64, east: u64): u32 {
  require((north >> NEAR_LOG2) + (east >> NEAR_LOG2) == 0)
  const y = north & NEAR_MASK
  const x = east & NEAR_MASK
  return isqrt(y * y + x * x, u32(NEAR_LOG2) + 1)
}
