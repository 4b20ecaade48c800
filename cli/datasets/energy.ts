/**
 * Energy recordings as meters: energy per interval is added up to the counter that a meter would show at the interval's end.
 * Intervals that are missing give no reading and add nothing, since nobody knows what was used.
 */
import type { DeviceReading, Recording } from './recording.ts'
import { badCell, numberAt, timeAt, type Row } from './rows.ts'

const HALF_HOUR_SEC = 1800
const MINUTE_SEC = 60
/** Wall-clock time without daylight saving: New South Wales' standard time. */
const SYDNEY_OFFSET_HOURS = 10
const PARIS_WINTER_OFFSET_HOURS = 1

/** A counter starts here: a used meter, not a new one. */
const COUNTER_START_WH = 1_000_000

export const energyMeters: Recording = {
  applet: 'energy-meter',
  header: 'customer_id,reading_datetime,general_supply_kwh',
  source: 'Smart-Grid Smart-City: half-hourly household meters, New South Wales, 2013',
  createMapper: () => {
    const counters = createCounters()
    return (row) => {
      const device = `meter ${row.cells[0]}`
      const endSec = timeAt(row, 1, SYDNEY_OFFSET_HOURS) + HALF_HOUR_SEC
      return [counters.add(device, endSec, energy(row, 2) * 1000)]
    }
  },
}

/** Minute means of one house and of its three sub-meters: four meters. */
export const energyHouse: Recording = {
  applet: 'energy-meter',
  header:
    'Date,Time,Global_active_power,Global_reactive_power,Voltage,Global_intensity,Sub_metering_1,Sub_metering_2,Sub_metering_3',
  source: 'UCI household power consumption: one house and its three sub-meters by the minute, Sceaux, 2006',
  createMapper: () => {
    const counters = createCounters()
    return (row) => {
      if (row.cells[2] === '?' || row.cells[2] === '') return []
      const endSec = timeAt(isoTime(row), 0, PARIS_WINTER_OFFSET_HOURS) + MINUTE_SEC
      return [
        counters.add('house', endSec, (energy(row, 2) * 1000) / 60),
        counters.add('kitchen', endSec, energy(row, 6)),
        counters.add('laundry', endSec, energy(row, 7)),
        counters.add('water heater and air conditioning', endSec, energy(row, 8)),
      ]
    }
  },
}

/** dd/mm/yyyy and hh:mm:ss in two columns, as one. */
function isoTime(row: Row): Row {
  const [day, month, year] = (row.cells[0] ?? '').split('/')
  return { place: row.place, cells: [`${year}-${month}-${day} ${row.cells[1]}`] }
}

function energy(row: Row, column: number): number {
  const value = numberAt(row, column)
  if (value < 0) throw badCell(row, column, 'energy of at least 0')
  return value
}

/** Counters in micro watt hours, so that adding up shows no rounding; a reading shows whole watt hours. */
function createCounters(): { add(device: string, timeSec: number, wattHours: number): DeviceReading } {
  const microWattHours = new Map<string, number>()
  const add = (device: string, timeSec: number, wattHours: number): DeviceReading => {
    const total = (microWattHours.get(device) ?? COUNTER_START_WH * 1e6) + Math.round(wattHours * 1e6)
    microWattHours.set(device, total)
    return { device, values: { timeSec, wattHours: Math.floor(total / 1e6) } }
  }
  return { add }
}
