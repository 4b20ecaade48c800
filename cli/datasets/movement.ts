/**
 * GPS recordings as positions of phones. Real people's trips: they become units, and nothing here shows where they went.
 */
import type { Recording } from './recording.ts'
import { badCell, numberAt, timeAt, type Row } from './rows.ts'

const ARACAJU_OFFSET_HOURS = -3

export const phones: Recording = {
  applet: 'movement',
  header: 'latitude,longitude,track_id,time,id_android,car_or_bus',
  source: 'UCI GPS trajectories: phones in cars and buses, Aracaju, 2014 to 2016',
  createMapper: () => (row) => {
    const values = {
      timeSec: timeAt(row, 3, ARACAJU_OFFSET_HOURS),
      lat: microDegrees(row, 0, 90),
      lon: microDegrees(row, 1, 180),
    }
    return [{ device: `phone ${row.cells[4]}`, values }]
  },
}

function microDegrees(row: Row, column: number, limit: number): number {
  const degrees = numberAt(row, column)
  if (Math.abs(degrees) > limit) throw badCell(row, column, `an angle of at most ${limit} degrees`)
  return Math.round(degrees * 1e6)
}
