// Frames for people: the JSON form on the way in, decoded readings on the way out.

import type { DeviceDirectory } from './devices.ts'
import type { Engine, Page } from './surface.ts'
import type { FrameRecord } from './records.ts'
import { AttestreamError } from './core/errors.ts'
import { checkUint } from './core/field.ts'
import { encodeFrame, decodeFrame, type FrameFormat } from './core/frame.ts'
import { decodeRecord, encodeRecord, type NamedRecord } from './core/layout.ts'
import type { Projects } from './projects.ts'
import type { Store, StoredFrame } from './store/index.ts'

export interface FramesContext {
  readonly store: Store
  readonly devices: Pick<DeviceDirectory, 'find'>
  readonly projects: Pick<Projects, 'format' | 'serving'>
}

/** JSON form of a frame: integers as decimal strings or numbers; readings by field name. */
export interface FrameJson {
  readonly deviceId: string
  readonly sequence: string
  readonly readings: readonly Readonly<Record<string, string | number | boolean>>[]
  readonly signature: { readonly r8x: string; readonly r8y: string; readonly s: string }
}

const DECIMAL = /^-?\d{1,78}$/

export function createFrames({
  store,
  devices,
  projects,
}: FramesContext): Pick<Engine, 'encodeFrameJson' | 'getFrame' | 'listFrames'> {
  /** By the layout that the frame came in: the project may serve another version since. */
  const recordOf = (frame: StoredFrame): FrameRecord => frameRecord(frame, projects.format(frame))

  return {
    async encodeFrameJson(json) {
      const frame = parseFrameJson(json)
      const device = await devices.find(frame.deviceId)
      const { format } = projects.serving(device.projectId)
      const readings = frame.readings.map((reading) => encodeRecord(format.reading, reading))
      return encodeFrame(format, { ...frame, readings })
    },
    async getFrame(deviceId, sequence) {
      const frame = store.frame(deviceId, sequence)
      if (frame) return recordOf(frame)
      throw new AttestreamError(
        'FRAME_UNKNOWN',
        `The engine holds no frame of device ${deviceId} with sequence ${sequence}.`,
      )
    },
    async listFrames(filter, page: Page = {}) {
      const limits = { limit: Math.min(page.limit ?? 50, 200), offset: page.offset ?? 0 }
      return store.frames(filter, limits).map(recordOf)
    },
  }
}

function frameRecord(frame: StoredFrame, format: FrameFormat): FrameRecord {
  const { deviceId, sequence, projectId, messageHash, receivedMs, taskId, acknowledgement, dropped } = frame
  const readings = decodeFrame(format, frame.bytes).readings.map((reading) => decodeRecord(format.reading, reading))
  const failure = dropped === null ? null : { code: 'ACKNOWLEDGED_FRAME_DROPPED' as const, message: dropped }
  return { deviceId, sequence, projectId, messageHash, readings, receivedMs, taskId, acknowledgement, failure }
}

function parseFrameJson(json: unknown) {
  const { deviceId, sequence, readings, signature } = (json ?? {}) as Partial<FrameJson>
  if (!Array.isArray(readings) || typeof signature !== 'object' || signature === null)
    throw invalid('readings or signature')
  const { r8x, r8y, s } = signature
  return {
    deviceId: checkUint(integer(deviceId, 'deviceId'), 64, 'deviceId'),
    sequence: checkUint(integer(sequence, 'sequence'), 64, 'sequence'),
    readings: readings.map((reading: unknown) => parseReading(reading)),
    signature: { r8x: integer(r8x, 'r8x'), r8y: integer(r8y, 'r8y'), s: integer(s, 's') },
  }
}

function parseReading(reading: unknown): NamedRecord {
  if (typeof reading !== 'object' || reading === null || Array.isArray(reading)) throw invalid('readings')
  return Object.fromEntries(
    Object.entries(reading).map(([name, value]) => [name, typeof value === 'boolean' ? value : integer(value, name)]),
  )
}

function integer(value: unknown, name: string): bigint {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value)
  if (typeof value === 'string' && DECIMAL.test(value)) return BigInt(value)
  throw invalid(name)
}

function invalid(field: string): AttestreamError {
  return new AttestreamError(
    'FRAME_JSON_INVALID',
    `The JSON frame's ${field} is missing or malformed; expected {deviceId, sequence, readings: [{field: integer}], signature: {r8x, r8y, s}}.`,
  )
}
