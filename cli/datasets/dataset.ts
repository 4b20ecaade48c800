/**
 * Readings for the demo: from a CSV of real recordings, or from a seeded simulation of the same physics.
 *
 * Promises readings in the applet's own fields, per device in the order they were taken and with their real time stamps, gaps and losses
 * included; the same file or seed gives the same readings. Reads the file line by line, keeps what was asked for and stops there.
 */
import { AttestreamError } from '../../engine/core/errors.ts'
import { energyHouse, energyMeters } from './energy.ts'
import { phones } from './movement.ts'
import type { DatasetApplet, Recording, Values } from './recording.ts'
import { readRows, type Row } from './rows.ts'
import { simulate } from './simulation.ts'
import { motes } from './uptime.ts'

export interface DatasetRequest {
  readonly applet: DatasetApplet
  /** CSV; without it the readings are simulated. */
  readonly file?: string
  /** At most so many devices; a file may have fewer. */
  readonly devices: number
  readonly framesPerDevice: number
  readonly frameSize: number
  /** Of the simulation. */
  readonly seed?: number
}

export interface Dataset {
  /** For people: what the readings are. */
  readonly source: string
  readonly simulated: boolean
  readonly deviceLabels: readonly string[]
  /** Per device, at most framesPerDevice · frameSize readings in order. */
  readonly readings: readonly (readonly Values[])[]
  readonly config: Values
}

/** What the demo sets up for each applet. A unit is a millionth of a token there. */
export const DATASET_CONFIG: Readonly<Record<DatasetApplet, Values>> = {
  'energy-meter': { maxWatts: 24_000, unitsPerKwh: 1_000_000 },
  movement: { thresholdMeters: 50, maxMetersPerSec: 60, unitsPerMove: 100_000 },
  uptime: { unitsPerSlot: 10_000, maxAgeSec: 0xffff_ffff },
  'air-quality': { fullScale: 10_000, maxStep: 5000, pauseSec: 3000, unitsPerWindow: 20_000 },
  bandwidth: {
    linkBytesPerSec: 12_500_000,
    tier1Mib: 10_240,
    tier2Mib: 92_160,
    unitsPerMib1: 1000,
    unitsPerMib2: 500,
    unitsPerMib3: 100,
  },
  'cold-chain': { minCentiC: 200, maxCentiC: 800, maxGapSec: 900, doubtLimitSec: 3600, unitsPerHour: 100_000 },
  coverage: {
    regionLat: 46_015_000,
    regionLon: 7_015_000,
    regionMeters: 5000,
    radiusMeters: 50,
    minRssiDbm: -130,
    maxRssiDbm: -40,
    pauseSec: 240,
    unitsPerBeacon: 20_000,
  },
  'ev-charging': { maxWatts: 22_500, minWatts: 1400, sessionWattHours: 100_000, pauseSec: 600, unitsPerKwh: 300_000 },
  liveness: { pingSec: 60, graceSec: 15, minAnswers: 8, maxAgeSec: 0xffff_ffff, unitsPerWindow: 100_000 },
  parking: { beatSec: 3600, minStaySec: 120, maxChanges: 100, unitsPerChange: 20_000, unitsPerBeat: 5000 },
  solar: { peakWatts: 10_000, sunriseSec: 14_400, daylightSec: 57_600, unitsPerKwh: 1_000_000 },
  water: {
    maxLitersPerHour: 3000,
    leakSec: 172_800,
    drySec: 3600,
    firstLiters: 500,
    unitsPerM3First: 1_000_000,
    unitsPerM3Rest: 500_000,
  },
  weather: {
    minCentiC: -3000,
    maxCentiC: 4500,
    corridorCentiC: 300,
    maxCentiCPerHour: 1000,
    pauseSec: 500,
    unitsPerReading: 10_000,
  },
}

const RECORDINGS: readonly Recording[] = [energyMeters, energyHouse, phones, motes]
/** Of a file with more devices than this, the rest is not looked at. */
const DEVICES_KEPT_MAX = 1024

/** Throws DATASET_UNKNOWN for a file that is not known or not meant for the applet, DATASET_INVALID for one that cannot be read. */
export async function loadDataset(request: DatasetRequest): Promise<Dataset> {
  const perDevice = request.framesPerDevice * request.frameSize
  const config = DATASET_CONFIG[request.applet]
  if (request.file === undefined) {
    const simulation = simulate(request.applet, request.devices, perDevice, request.seed ?? 1)
    return { ...choose(simulation.devices, request.devices), source: simulation.source, simulated: true, config }
  }
  const file = await readRows(request.file)
  const recording = recognise(file.header, request)
  const devices = await collect(file.rows, recording, request.devices, perDevice)
  if (devices.size === 0) throw invalid(request.file, 'it has no reading')
  return { ...choose(devices, request.devices), source: recording.source, simulated: false, config }
}

function recognise(header: string, { file, applet }: DatasetRequest): Recording {
  const recording = RECORDINGS.find((known) => known.header === header)
  if (recording?.applet === applet) return recording
  const fitting = RECORDINGS.filter((known) => known.applet === applet).map((known) => `'${known.header}'`)
  const came = recording ? `is for the applet ${recording.applet}` : `starts with '${header.slice(0, 120)}'`
  throw new AttestreamError(
    'DATASET_UNKNOWN',
    `${file} ${came}; for ${applet} give a CSV with the header ${fitting.join(' or ')}.`,
  )
}

/** Reads until so many devices have all their readings, or the file ends. */
async function collect(
  rows: AsyncIterable<Row>,
  recording: Recording,
  wanted: number,
  perDevice: number,
): Promise<Map<string, Values[]>> {
  const map = recording.createMapper()
  const devices = new Map<string, Values[]>()
  let complete = 0
  for await (const row of rows) {
    for (const { device, values } of map(row)) {
      const readings = devices.get(device) ?? []
      if (readings.length === perDevice || (readings.length === 0 && devices.size === DEVICES_KEPT_MAX)) continue
      devices.set(device, readings)
      if (readings.push(values) === perDevice) complete++
    }
    if (complete >= wanted) break
  }
  return devices
}

/** The devices with the most readings; among equals those that came first. */
function choose(
  devices: ReadonlyMap<string, readonly Values[]>,
  wanted: number,
): Pick<Dataset, 'deviceLabels' | 'readings'> {
  const chosen = [...devices].sort((a, b) => b[1].length - a[1].length).slice(0, wanted)
  return { deviceLabels: chosen.map(([label]) => label), readings: chosen.map(([, readings]) => readings) }
}

function invalid(file: string, why: string): AttestreamError {
  return new AttestreamError('DATASET_INVALID', `${file} cannot be used: ${why}.`)
}
