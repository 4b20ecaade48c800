// A manifest as `audit` takes it: a file, the directory of a build, or the API of an engine.

import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { CircuitManifest } from '../../engine/core/circuit.ts'
import type { Hex } from '../../engine/core/codec.ts'
import { AttestreamError } from '../../engine/index.ts'
import { readJson, reasonOf } from './command.ts'

export interface LoadedManifest {
  readonly manifest: CircuitManifest
  /** The key and its transcript beside the manifest, if it came from a directory that has them. */
  readonly zkey?: string
  readonly transcript?: string
}

export interface Shape {
  readonly cohort?: number
  readonly frame?: number
}

const HASH = /^0x[0-9a-f]{64}$/
const FORM: Readonly<Record<keyof CircuitManifest, (value: unknown) => boolean>> = {
  appletId: isHash,
  compilerVersion: (value) => typeof value === 'string',
  circomSha256: isHash,
  r1csSha256: isHash,
  vkHash: isHash,
  verifyingKey: (value) => typeof value === 'string' && /^0x([0-9a-f]{2})+$/.test(value),
  cohortSize: Number.isInteger,
  frameSize: Number.isInteger,
  constraints: Number.isInteger,
  publicSignals: Number.isInteger,
  devSetup: (value) => typeof value === 'boolean',
  setupTranscriptHash: isHash,
}

/** Throws INPUT_INVALID. From an engine's API the shape chooses among the applet's circuits, if it has several. */
export async function loadManifest(source: string, appletId: Hex, shape: Shape): Promise<LoadedManifest> {
  if (/^https?:\/\//.test(source)) return { manifest: await fetchManifest(source, appletId, shape) }
  const isDirectory = existsSync(source) && statSync(source).isDirectory()
  const file = isDirectory ? join(source, 'manifest.json') : source
  const manifest = checkManifest(await readJson(file, 'The manifest'), file)
  if (!isDirectory) return { manifest }
  const beside = (name: string) => (existsSync(join(source, name)) ? join(source, name) : undefined)
  const [zkey, transcript] = [beside('main.zkey'), beside('transcript.json')]
  return { manifest, ...(zkey ? { zkey } : {}), ...(transcript ? { transcript } : {}) }
}

async function fetchManifest(url: string, appletId: Hex, { cohort, frame }: Shape): Promise<CircuitManifest> {
  const address = new URL(`/v1/applets/${appletId}`, url)
  const reply = await fetch(address).catch((cause: unknown) => {
    throw new AttestreamError('INPUT_INVALID', `${address} does not answer: ${reasonOf(cause)}.`, {}, { cause })
  })
  if (!reply.ok) {
    const why = reply.status === 404 ? 'the engine has no applet of these bytes' : 'no applet'
    throw new AttestreamError('INPUT_INVALID', `${address} answers with HTTP ${reply.status}: ${why}.`)
  }
  const { circuits } = (await reply.json()) as { circuits: { manifest: unknown }[] }
  const all = circuits.flatMap(({ manifest }) => (manifest === null ? [] : [checkManifest(manifest, `${address}`)]))
  const fitting = all.filter(
    ({ cohortSize, frameSize }) => (cohort ?? cohortSize) === cohortSize && (frame ?? frameSize) === frameSize,
  )
  if (fitting.length === 1) return fitting[0]!
  const shapes = all.map(({ cohortSize, frameSize }) => `--cohort ${cohortSize} --frame ${frameSize}`).join(', ')
  throw new AttestreamError('INPUT_INVALID', `${address} has ${fitting.length} such circuits; choose of: ${shapes}.`)
}

function checkManifest(json: unknown, where: string): CircuitManifest {
  const fields = (typeof json === 'object' && json !== null ? json : {}) as Record<string, unknown>
  const wrong = Object.entries(FORM).filter(([name, holds]) => !holds(fields[name]))
  if (wrong.length === 0) return json as CircuitManifest
  const names = wrong.map(([name]) => name).join(', ')
  throw new AttestreamError('INPUT_INVALID', `${where} is no circuit manifest: ${names} missing or malformed.`)
}

function isHash(value: unknown): boolean {
  return typeof value === 'string' && HASH.test(value)
}
