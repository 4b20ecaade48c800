import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { DATASET_CONFIG, loadDataset, type Dataset } from '../../../cli/datasets/dataset.ts'
import { DATASET_APPLETS, type DatasetApplet } from '../../../cli/datasets/recording.ts'
import { encodeRecord } from '../../../engine/core/layout.ts'
import { compileApplet, runCompiledBatch } from '../../../engine/runner/run.ts'
import { builtApplet } from '../../applets/built.ts'

const ROOT = new URL('../../../', import.meta.url).pathname
const DATA = join(ROOT, '../shared/data')
const folder = mkdtempSync(join(tmpdir(), 'dataset-'))
afterAll(() => rmSync(folder, { recursive: true }))

const SHAPE = { devices: 4, framesPerDevice: 3, frameSize: 4 }

function write(name: string, ...lines: string[]): string {
  const file = join(folder, name)
  writeFileSync(file, lines.join('\n') + '\n')
  return file
}

/** Runs every device's readings through the applet; the share accepted and the units in all. */
async function judge(applet: DatasetApplet, dataset: Dataset): Promise<{ accepted: number; units: number }> {
  const compiled = compileApplet(await builtApplet(applet))
  const { abi } = compiled
  const slots = dataset.readings.map((readings) => ({
    state: abi.state.map(() => 0n),
    readings: readings.map((values) => encodeRecord(abi.reading, values)),
  }))
  const config = encodeRecord(abi.config, dataset.config)
  const anchorTimeSec = 1_790_000_000n
  const result = runCompiledBatch(compiled, { config, anchorTimeSec, slots })
  const accepted = result.slots.flatMap((slot) => slot.accepted)
  const units = result.slots.flatMap((slot) => slot.units)
  return {
    accepted: accepted.filter((yes) => yes).length / accepted.length,
    units: Number(units.reduce((sum, each) => sum + each, 0n)),
  }
}

describe('a simulated dataset', () => {
  it.each(DATASET_APPLETS)(
    'for %s is the same for the same seed and passes the applet',
    async (applet) => {
      const dataset = await loadDataset({ applet, ...SHAPE, framesPerDevice: 25 })
      expect(dataset).toEqual(await loadDataset({ applet, ...SHAPE, framesPerDevice: 25 }))
      expect(dataset).not.toEqual(await loadDataset({ applet, ...SHAPE, framesPerDevice: 25, seed: 2 }))
      expect(dataset.simulated).toBe(true)
      expect(dataset.source).toMatch(/^simulated/)
      expect(dataset.readings.map((readings) => readings.length)).toEqual([100, 100, 100, 100])
      const { accepted, units } = await judge(applet, dataset)
      expect(accepted).toBe(1)
      expect(units).toBeGreaterThan(100 * DATASET_CONFIG.movement['unitsPerMove']! * 0.1)
    },
    60_000,
  )
})

describe('a CSV', () => {
  const METERS = 'customer_id,reading_datetime,general_supply_kwh'

  it('of intervals becomes the counter of each meter at the end of each interval', async () => {
    const file = write(
      'meters.csv',
      METERS,
      '7,2013-09-01 00:00:00,0.1004',
      '7,2013-09-01 00:30:00,0.1004',
      '7,2013-09-01 04:30:00,0.1004',
      '8,2013-09-01 00:00:00,1',
    )
    const dataset = await loadDataset({ applet: 'energy-meter', file, devices: 2, framesPerDevice: 1, frameSize: 4 })
    const start = Date.UTC(2013, 7, 31, 14, 30) / 1000
    expect(dataset.deviceLabels).toEqual(['meter 7', 'meter 8'])
    expect(dataset.readings[0]).toEqual([
      { timeSec: start, wattHours: 1_000_100 },
      { timeSec: start + 1800, wattHours: 1_000_200 },
      { timeSec: start + 16_200, wattHours: 1_000_301 },
    ])
    expect(dataset.readings[1]).toEqual([{ timeSec: start, wattHours: 1_001_000 }])
  })

  it('of a house becomes four meters, and leaves out minutes that are missing', async () => {
    const header =
      'Date,Time,Global_active_power,Global_reactive_power,Voltage,Global_intensity,Sub_metering_1,Sub_metering_2,Sub_metering_3'
    const file = write(
      'house.csv',
      header,
      '16/12/2006,17:24:00,6,0.4,234.8,18.4,1,2,17',
      '16/12/2006,17:25:00,?,?,?,?,?,?,',
      '16/12/2006,17:26:00,3,0.4,234.8,18.4,0,1,17',
    )
    const dataset = await loadDataset({ applet: 'energy-meter', file, devices: 4, framesPerDevice: 1, frameSize: 4 })
    const start = Date.UTC(2006, 11, 16, 16, 25) / 1000
    expect(dataset.deviceLabels).toEqual(['house', 'kitchen', 'laundry', 'water heater and air conditioning'])
    expect(dataset.readings[0]).toEqual([
      { timeSec: start, wattHours: 1_000_100 },
      { timeSec: start + 120, wattHours: 1_000_150 },
    ])
    expect(dataset.readings[2]!.map((reading) => reading['wattHours'])).toEqual([1_000_002, 1_000_003])
  })

  it('of overlapping trips keeps a phone on one trip until a pause', async () => {
    const point = (trip: number, clock: string) => `-10.9,-37.0${trip},${trip},2014-09-13 ${clock},5,1`
    const file = write(
      'phones.csv',
      'latitude,longitude,track_id,time,id_android,car_or_bus',
      point(1, '07:00:00'),
      point(2, '07:00:03'),
      point(1, '07:00:10'),
      point(1, '07:00:09'),
      point(2, '07:01:09'),
      point(2, '07:01:10'),
    )
    const dataset = await loadDataset({ applet: 'movement', file, devices: 1, framesPerDevice: 2, frameSize: 4 })
    const start = Date.UTC(2014, 8, 13, 10) / 1000
    expect(dataset.deviceLabels).toEqual(['phone 5'])
    expect(dataset.readings[0]).toEqual([
      { timeSec: start, lat: -10_900_000, lon: -37_010_000 },
      { timeSec: start + 10, lat: -10_900_000, lon: -37_010_000 },
      { timeSec: start + 70, lat: -10_900_000, lon: -37_020_000 },
    ])
  })

  it('gives the devices with the most readings, and no more readings than asked for', async () => {
    const beat = (minute: number, mote: number) =>
      `${1163438041250 + minute * 60_000},${mote},1,21.2,2.8,51.5,22.0,20,28`
    const rows = [beat(0, 1), beat(0, 2), beat(0, 3), beat(1, 2), beat(2, 2), beat(2, 3), beat(3, 2)]
    const header = 'timestamp_ms,node_id,seq,internal_temp_c,battery_v,humidity_pct,temp_c,par_raw,tsr_raw'
    const file = write('motes.csv', header, ...rows)
    const dataset = await loadDataset({ applet: 'uptime', file, devices: 2, framesPerDevice: 1, frameSize: 3 })
    expect(dataset.deviceLabels).toEqual(['mote 2', 'mote 3'])
    expect(dataset.readings.map((readings) => readings.length)).toEqual([3, 2])
    expect(dataset.readings[0]![0]).toEqual({ timeSec: 1163438041 })
  })

  it('stops reading when it has what was asked for', async () => {
    const file = write('cut.csv', METERS, '7,2013-09-01 00:00:00,1', '7,2013-09-01 00:30:00,broken')
    const dataset = await loadDataset({ applet: 'energy-meter', file, devices: 1, framesPerDevice: 1, frameSize: 1 })
    expect(dataset.readings).toEqual([[expect.objectContaining({ wattHours: 1_001_000 })]])
  })

  const load = (applet: DatasetApplet, file: string) => loadDataset({ applet, file, ...SHAPE })
  it.each([
    ['with an unknown header', ['a,b,c', '1,2,3'], 'DATASET_UNKNOWN', /header 'customer_id/],
    ['without rows', [METERS], 'DATASET_INVALID', /no reading/],
    ['with a word for a number', [METERS, '7,2013-09-01 00:00:00,much'], 'DATASET_INVALID', /:2, column 3: 'much'/],
    ['with negative energy', [METERS, '7,2013-09-01 00:00:00,-1'], 'DATASET_INVALID', /at least 0/],
    ['with another time', [METERS, '7,01.09.2013,1'], 'DATASET_INVALID', /yyyy-mm-dd/],
    ['with rows cut off', [METERS, '7'], 'DATASET_INVALID', /'nothing'/],
  ])('%s is refused with its place', async (_, lines, code, message) => {
    await expect(load('energy-meter', write('bad.csv', ...lines))).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    })
  })

  it('for another applet, or absent, or empty is refused', async () => {
    const meters = write('meters.csv', METERS, '7,2013-09-01 00:00:00,1')
    await expect(load('uptime', meters)).rejects.toMatchObject({ code: 'DATASET_UNKNOWN' })
    await expect(load('uptime', join(folder, 'absent.csv'))).rejects.toMatchObject({ code: 'DATASET_INVALID' })
    const empty = join(folder, 'empty.csv')
    writeFileSync(empty, '')
    await expect(load('uptime', empty)).rejects.toMatchObject({ code: 'DATASET_INVALID' })
  })
})

describe('real recordings', () => {
  const cases: [string, DatasetApplet, number][] = [
    ['energy_sgsc_10meters_halfhour.csv', 'energy-meter', 0.99],
    ['energy_uci_household_minute.csv', 'energy-meter', 0.99],
    ['movement_gps_phones_aracaju.csv', 'movement', 0.99],
    ['sensor_motes_library1_minute.csv', 'uptime', 0.95],
    ['sensor_motes_library2_minute.csv', 'uptime', 0.95],
  ]
  for (const [name, applet, acceptedMin] of cases) {
    const file = join(DATA, name)
    const absent = existsSync(file) ? '' : ` (skipped: ../shared/data/${name} is not there)`
    it.skipIf(absent)(
      `of ${name} run through ${applet}${absent}`,
      async () => {
        const dataset = await loadDataset({ applet, file, devices: 4, framesPerDevice: 25, frameSize: 4 })
        expect(dataset.simulated).toBe(false)
        expect(dataset.readings.map((readings) => readings.length)).toEqual([100, 100, 100, 100])
        const { accepted, units } = await judge(applet, dataset)
        expect(accepted).toBeGreaterThanOrEqual(acceptedMin)
        expect(units).toBeGreaterThan(0)
      },
      60_000,
    )
  }
})
