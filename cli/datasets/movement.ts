/**
 * GPS recordings as positions of phones. Real people's trips: they become units, and nothing here shows where they went.
 */
import type { Recording } from './recording.ts'
import { badCell, numberAt, timeAt, type Row } from './rows.ts'

const ARACAJU_OFFSET_HOURS = -3

/** Some trips of one phone overlap; a phone is on one trip at a time, and on another after a pause of so long at least. */
const TRIP_PAUSE_SEC = 60

export const phones: Recording = {
  applet: 'movement',
  header: 'latitude,longitude,track_id,time,id_android,car_or_bus',
  source: 'UCI GPS trajectories: phones in cars and buses, Aracaju, 2014 to 2016',
  createMapper: () => {
    const latest = new Map<string, { trip: string; timeSec: number }>()
    return (row) => {
      const device = `phone ${row.cells[4]}`
      const trip = row.cells[2] ?? ''
      const timeSec = timeAt(row, 3, ARACAJU_OFFSET_HOURS)
      const before = latest.get(device)
      if (before && timeSec < before.timeSec + (trip === before.trip ? 0 : TRIP_PAUSE_SEC)) return []
      latest.set(device, { trip, timeSec })
      return [{ device, values: { timeSec, lat: microDegrees(row, 0, 90), lon: microDegrees(row, 1, 180) } }]
    }
  },
}

function microDegrees(row: Row, column: number, limit: number): number {
  const degrees = numberAt(row, column)
  if (Math.abs(degrees) > limit) throw badCell(row, column, `an angle of at most ${limit} degrees`)
  return Math.round(degrees * 1e6)
}
