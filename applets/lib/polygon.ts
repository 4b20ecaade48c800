/**
 * Areas on the map. Positions are in micro-degrees in fields of 28 bits (latitude) and 29 bits (longitude); wider ones overflow.
 * Vertices are pairs of i32, latitude and longitude: `memory.data<i32>([lat0, lon0, lat1, lon1, …])` for constants, or consecutive
 * fields of Config, `itemsAt(config, offsetof<Config>('lat0'))`.
 */
import { item } from './items'

/** Whether the position lies in the box, edges included; across the 180th meridian when `west` > `east`. */
export function isInBox(lat: i32, lon: i32, south: i32, west: i32, north: i32, east: i32): bool {
  const isEastOfWest = lon >= west
  const isWestOfEast = lon <= east
  const fits = west <= east ? isEastOfWest && isWestOfEast : isEastOfWest || isWestOfEast
  return lat >= south && lat <= north && fits
}

/**
 * Whether the position lies in the polygon of `count` vertices, by counting the edges east of it; edges are straight on the map, and may
 * not cross the 180th meridian. Of the boundary, the west and south sides belong to it and the east and north sides do not, so areas
 * that share an edge share no position.
 */
export function isInPolygon(vertices: usize, count: u32, lat: i32, lon: i32): bool {
  let isInside = false
  let fromLat = item<i32>(vertices, 2 * count - 2)
  let fromLon = item<i32>(vertices, 2 * count - 1)
  for (let k: u32 = 0; k < count; k++) {
    const toLat = item<i32>(vertices, 2 * k)
    const toLon = item<i32>(vertices, 2 * k + 1)
    isInside = isInside != isWestOfEdge(lat, lon, fromLat, fromLon, toLat, toLon)
    fromLat = toLat
    fromLon = toLon
  }
  return isInside
}

/** Whether a ray from the position to the east crosses the edge; of the edge's ends, it has the southern one. */
function isWestOfEdge(lat: i32, lon: i32, fromLat: i32, fromLon: i32, toLat: i32, toLon: i32): bool {
  const fromBelow = fromLat <= lat
  const toBelow = toLat <= lat
  const turn = i64(lat - fromLat) * i64(toLon - fromLon) - i64(lon - fromLon) * i64(toLat - fromLat)
  return fromBelow != toBelow && (fromBelow ? turn > 0 : turn < 0)
}
