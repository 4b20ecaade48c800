import type { LibraryCase, Random, Values } from '../harness.ts'

const POLYGON = "import * as polygon from './lib/polygon'\nimport { itemsAt } from './lib/items'"
const POSITION = "import * as position from './lib/position'"
const SPHERE = "import * as sphere from './lib/sphere'"
const HERE = { lat: 'i32:28', lon: 'i32:29' }
const TWO = { ...HERE, toLat: 'i32:28', toLon: 'i32:29' }

type Point = [number, number]

const EARTH_METERS = 6_371_008.8

/** The formula on real numbers. */
function haversineMeters({ lat, lon, toLat, toLon }: Values): number {
  const [a, b, c, d] = [lat, lon, toLat, toLon].map((value) => (Number(value) / 1e6 / 180) * Math.PI) as [
    number,
    number,
    number,
    number,
  ]
  const h = Math.sin((c - a) / 2) ** 2 + Math.cos(a) * Math.cos(c) * Math.sin((d - b) / 2) ** 2
  return 2 * EARTH_METERS * Math.asin(Math.sqrt(Math.min(1, h)))
}

const onGlobe = ({ lat, lon, toLat, toLon }: Values): boolean =>
  [lat!, toLat!].every((value) => value >= -90_000_000n && value <= 90_000_000n) &&
  [lon!, toLon!].every((value) => value >= -180_000_000n && value <= 180_000_000n)

/** Half of the pairs some meters to some tens of kilometres apart, half anywhere. */
function pairs(latitudes: number) {
  return (random: Random): Values => {
    const anywhere = () => [random(2 * latitudes) - latitudes, random(360_000_001) - 180_000_000] as const
    const [lat, lon] = anywhere()
    const spread = 10 ** (1 + random(5)) * 4
    const near = () => random(spread) - spread / 2
    const clip = (value: number, limit: number) => Math.max(-limit, Math.min(limit, value))
    const [toLat, toLon] =
      random(2) === 0 ? anywhere() : [clip(lat + near(), latitudes), clip(lon + near(), 180_000_000)]
    return { lat: BigInt(lat), lon: BigInt(lon), toLat: BigInt(toLat), toLon: BigInt(toLon) }
  }
}

function range(meters: number, share: number, more: number): [bigint, bigint] {
  const most = meters * share + more
  return [BigInt(Math.max(0, Math.floor((meters - most) * 8))), BigInt(Math.ceil((meters + most) * 8))]
}

const SPHERE_CASES: LibraryCase[] = [
  {
    name: 'arcLength(fromLat, fromLon, toLat, toLon)',
    imports: SPHERE,
    reading: TWO,
    result: 'u32',
    body: 'sphere.arcLength(r.lat, r.lon, r.toLat, r.toLon)',
    model: (values) => {
      if (!onGlobe(values)) return null
      const meters = haversineMeters(values)
      return range(meters, meters < 10_000_000 ? 0.0001 : 0.005, 0.5)
    },
    inputs: pairs(90_000_000),
  },
  {
    name: 'isWithin(fromLat, fromLon, toLat, toLon, 5000)',
    imports: SPHERE,
    reading: TWO,
    result: 'bool',
    body: 'sphere.isWithin(r.lat, r.lon, r.toLat, r.toLon, 5000)',
    model: (values) => {
      if (!onGlobe(values)) return null
      const [least, most] = range(haversineMeters(values), 0.0001, 0.5)
      return most <= 40_000n ? true : least > 40_000n ? false : undefined
    },
    inputs: pairs(90_000_000),
  },
]

const POSITION_CASES: LibraryCase[] = [
  {
    name: 'reaches(northLength(…), eastLength(…), 8000)',
    imports: POSITION,
    reading: TWO,
    result: 'bool',
    body: 'position.reaches(position.northLength(r.lat, r.toLat), position.eastLength(r.lon, r.toLon, r.lat), 8000)',
    model: (values) => {
      if (!onGlobe({ ...values, toLat: 0n, lon: 0n })) return null
      const meters = haversineMeters(values)
      return Math.abs(Number(values['lat'])) > 60e6 || (meters > 900 && meters < 1100) || meters > 50_000
        ? [0n, 1n]
        : meters > 1000
    },
    inputs: pairs(60_000_000),
  },
  {
    name: 'wayLength(northLength(…), eastLength(…))',
    imports: POSITION,
    reading: TWO,
    result: 'u32',
    body: 'position.wayLength(position.northLength(r.lat, r.toLat), position.eastLength(r.lon, r.toLon, r.lat))',
    model: wayLength,
    inputs: pairs(60_000_000),
  },
]

/** The documented formula, with the cosine itself in place of the table. */
function wayLength({ lat, lon, toLat, toLon }: Values): [bigint, bigint] | null | undefined {
  if (!onGlobe({ lat: lat!, lon: 0n, toLat: 0n, toLon: toLon! })) return null
  if (!onGlobe({ lat: 0n, lon: lon!, toLat: 0n, toLon: 0n })) return undefined
  const direct = Math.abs(Number(toLon! - lon!))
  const around = Math.min(direct, 360e6 - direct)
  const north = Math.abs(Number(toLat! - lat!)) * 0.11132
  const east = around * 0.11132 * Math.cos((Number(lat) / 180e6) * Math.PI)
  if (north > 262_000 || east > 259_000) return north > 262_300 || east > 267_000 ? null : undefined
  const length = Math.hypot(north, east)
  return range(length, 0.001, 0.25 + east * 0.0002 + around * 0.11132 * 0.0104)
}

const AREA: Point[] = [
  [47_000_000, 8_000_000],
  [47_500_000, 8_100_000],
  [47_200_000, 8_250_000],
  [47_600_000, 8_600_000],
  [46_900_000, 8_500_000],
  [47_000_000, 8_300_000],
]

/** Even-odd rule on exact fractions: the longitude at which an edge meets the latitude. */
function isInside(area: readonly Point[], { lat, lon }: Values): boolean {
  const crossings = area.filter(([fromLat, fromLon], k) => {
    const [toLat, toLon] = area[(k + 1) % area.length]!
    const [[south, southLon], [north, northLon]] =
      fromLat < toLat
        ? [
            [fromLat, fromLon],
            [toLat, toLon],
          ]
        : [
            [toLat, toLon],
            [fromLat, fromLon],
          ]
    if (lat! < BigInt(south!) || lat! >= BigInt(north!)) return false
    const height = BigInt(north! - south!)
    return lon! * height < BigInt(southLon!) * height + (lat! - BigInt(south!)) * BigInt(northLon! - southLon!)
  })
  return crossings.length % 2 === 1
}

const constants = (name: string, area: readonly Point[]): string =>
  `const ${name} = memory.data<i32>([${area.flat().join()}])`

/** On vertices and edges, beside them, and around. */
function around(area: readonly Point[]) {
  return (random: Random): Values => {
    const k = random(area.length)
    const [from, to] = [area[k]!, area[(k + 1) % area.length]!]
    const part = random(6) / 5
    const spread = random(3) * random(400_000)
    const at = (axis: 0 | 1) =>
      BigInt(Math.round(from[axis] + (to[axis] - from[axis]) * part) + random(2 * spread + 3) - spread - 1)
    return { lat: at(0), lon: at(1) }
  }
}

const corners = ['lat0', 'lon0', 'lat1', 'lon1', 'lat2', 'lon2', 'lat3', 'lon3']
const SQUARE: Point[] = [
  [-100, -100],
  [-100, 100],
  [100, 100],
  [100, -100],
]
const WEST: Point[] = [
  [-100, -100],
  [-100, 20],
  [0, -50],
  [100, 20],
  [100, -100],
]
const EAST: Point[] = [
  [-100, 20],
  [-100, 100],
  [100, 100],
  [100, 20],
  [0, -50],
]

const POLYGON_CASES: LibraryCase[] = [
  {
    name: 'isInBox(lat, lon, …), 4 constants',
    imports: POLYGON,
    reading: HERE,
    result: 'bool',
    body: 'polygon.isInBox(r.lat, r.lon, 47_000_000, 8_000_000, 48_000_000, 9_000_000)',
    model: ({ lat, lon }) => lat! >= 47_000_000n && lat! <= 48_000_000n && lon! >= 8_000_000n && lon! <= 9_000_000n,
    inputs: around([
      [47_000_000, 8_000_000],
      [48_000_000, 9_000_000],
    ]),
  },
  {
    name: 'isInBox(lat, lon, …), 4 fields',
    imports: POLYGON,
    reading: { ...HERE, south: 'i32:28', west: 'i32:29', north: 'i32:28', east: 'i32:29' },
    result: 'bool',
    body: 'polygon.isInBox(r.lat, r.lon, r.south, r.west, r.north, r.east)',
    model: ({ lat, lon, south, west, north, east }) =>
      lat! >= south! &&
      lat! <= north! &&
      (west! <= east! ? lon! >= west! && lon! <= east! : lon! >= west! || lon! <= east!),
  },
  {
    name: 'isInPolygon(…), 6 constant vertices',
    imports: `${POLYGON}\n${constants('AREA', AREA)}`,
    reading: HERE,
    result: 'bool',
    body: 'polygon.isInPolygon(AREA, 6, r.lat, r.lon)',
    model: (values) => isInside(AREA, values),
    inputs: around(AREA),
  },
  {
    name: 'isInPolygon(…), 4 vertices in Config',
    imports: POLYGON,
    reading: HERE,
    config: Object.fromEntries(corners.map((name) => [name, name.startsWith('lat') ? 'i32:28' : 'i32:29'])),
    result: 'bool',
    body: "polygon.isInPolygon(itemsAt(c, offsetof<Config>('lat0')), 4, r.lat, r.lon)",
    model: (values) =>
      isInside(
        [0, 1, 2, 3].map((k) => [Number(values[`lat${k}`]), Number(values[`lon${k}`])]),
        values,
      ),
    inputs: (random) => Object.fromEntries(['lat', 'lon', ...corners].map((name) => [name, BigInt(random(7) - 3)])),
  },
]

/** Two areas that share edges: every position of the square is in exactly one. */
export const SHARED_EDGES: LibraryCase = {
  name: 'two polygons with common edges',
  imports: `${POLYGON}\n${constants('WEST', WEST)}\n${constants('EAST', EAST)}`,
  reading: HERE,
  result: 'u32',
  body: 'u32(polygon.isInPolygon(WEST, 5, r.lat, r.lon)) + u32(polygon.isInPolygon(EAST, 5, r.lat, r.lon))',
  model: ({ lat, lon }) => lat! >= -100n && lat! < 100n && lon! >= -100n && lon! < 100n,
  inputs: (random) => (random(2) === 0 ? around(WEST)(random) : around(SQUARE)(random)),
}

export const PLACE_CASES: LibraryCase[] = [...POSITION_CASES, ...SPHERE_CASES, ...POLYGON_CASES]
