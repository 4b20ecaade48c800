// What three applets pay, written again from their descriptions in plain TypeScript: no WASM, nothing of the engine. State is kept
// over all readings of a device; batches and frames do not matter as long as no frame reaches maxUnitsPerFrame.

import type { Values } from '../../cli/datasets/recording.ts'

export type ExpectedApplet = 'energy-meter' | 'movement' | 'uptime'

export const expectedUnits: Readonly<Record<ExpectedApplet, (readings: readonly Values[], config: Values) => bigint>> =
  {
    'energy-meter': energyUnits,
    movement: movementUnits,
    uptime: uptimeUnits,
  }

/** Price times energy between accepted readings; thousandths of a unit are carried, so only the last remainder is lost. */
function energyUnits(readings: readonly Values[], { maxWatts, unitsPerKwh }: Values): bigint {
  let last: Values | undefined
  let milliUnits = 0n
  for (const reading of readings) {
    if (last) {
      const seconds = reading.timeSec! - last.timeSec!
      const wattHours = reading.wattHours! - last.wattHours!
      if (seconds <= 0 || wattHours < 0 || wattHours * 3600 > maxWatts! * seconds) continue
      milliUnits += BigInt(wattHours) * BigInt(unitsPerKwh!)
    }
    last = reading
  }
  return milliUnits / 1000n
}

/** Steps of 2^20 micro-degrees in which the cosine of the latitude is taken. */
const COSINE_STEP = 2 ** 20
/** 8192/912 micro-degrees of latitude are a metre; lengths are in whole 1/8 m. */
const SCALE = 912

function movementUnits(readings: readonly Values[], config: Values): bigint {
  const { thresholdMeters, maxMetersPerSec, unitsPerMove } = config
  let counted: Values | undefined
  let moves = 0
  for (const reading of readings) {
    if (counted) {
      const seconds = reading.timeSec! - counted.timeSec!
      const north = Math.floor((Math.abs(reading.lat! - counted.lat!) * SCALE) / 1024)
      const middle = (Math.floor(Math.abs(reading.lat!) / COSINE_STEP) + 0.5) * COSINE_STEP
      const eastScale = Math.round(SCALE * Math.cos((middle / 1e6 / 180) * Math.PI))
      const east = Math.floor((Math.abs(reading.lon! - counted.lon!) * eastScale) / 1024)
      if (seconds <= 0 || north + east > maxMetersPerSec! * seconds * 8) continue
      if (north * north + east * east < (thresholdMeters! * 8) ** 2) continue
      moves++
    }
    counted = reading
  }
  return BigInt(moves) * BigInt(unitsPerMove!)
}

const SLOT_SEC = 60
const WINDOW_SLOTS = 32

/** The slots after the first heartbeat's in which another came, each once, and none that came 32 slots late. */
function uptimeUnits(readings: readonly Values[], { unitsPerSlot }: Values): bigint {
  const slots = readings.map((reading) => Math.floor(reading.timeSec! / SLOT_SEC))
  const first = slots[0]
  if (first === undefined) return 0n
  const paid = new Set<number>()
  let newest = first
  for (const slot of slots) {
    if (slot <= first || newest - slot >= WINDOW_SLOTS) continue
    paid.add(slot)
    newest = Math.max(newest, slot)
  }
  return BigInt(paid.size) * BigInt(unitsPerSlot!)
}
