/** Pays inside a circle around a point: equirectangular distance, the cosine from a table by whole degrees. */
import { bits, require } from '../../applets/lib/record'

@unmanaged
class Reading {
  /** Positions in micro-degrees. */
  @bits(28)
  lat: i32
  @bits(29)
  lon: i32
  /** The circle's centre, as the device was told. */
  @bits(28)
  centreLat: i32
  @bits(29)
  centreLon: i32
}

@unmanaged
class Config {
  /** In micro-degrees of latitude: 0.11132 m each. */
  @bits(28)
  radius: u32
  units: u32
}

export const maxUnitsPerFrame: u64 = 1_000_000_000

const MICRO_DEGREES: u32 = 1_000_000
const POLE: u32 = 90_000_000
const COSINE_LOG2: i64 = 10

/** round(1024 · cos φ), φ = 0° … 90°. */
// prettier-ignore
const COSINES = memory.data<u16>([
  1024, 1024, 1023, 1023, 1022, 1020, 1018, 1016, 1014, 1011, 1008, 1005, 1002, 998, 994,
  989, 984, 979, 974, 968, 962, 956, 949, 943, 935, 928, 920, 912, 904, 896,
  887, 878, 868, 859, 849, 839, 828, 818, 807, 796, 784, 773, 761, 749, 737,
  724, 711, 698, 685, 672, 658, 644, 630, 616, 602, 587, 573, 558, 543, 527,
  512, 496, 481, 465, 449, 433, 416, 400, 384, 367, 350, 333, 316, 299, 282,
  265, 248, 230, 213, 195, 178, 160, 143, 125, 107, 89, 71, 54, 36, 18,
  0,
])

/** Rejects latitudes off the globe. */
export function verify(reading: Reading, config: Config): u32 {
  const latitude = u32(abs(reading.lat))
  require(latitude <= POLE)
  const cosine = i64(load<u16>(COSINES + ((latitude / MICRO_DEGREES) << 1)))
  const north = i64(reading.lat - reading.centreLat)
  const east = (i64(reading.lon - reading.centreLon) * cosine) >> COSINE_LOG2
  const radius = i64(config.radius)
  return north * north + east * east <= radius * radius ? config.units : 0
}
