// A powers-of-tau file from where the operator says: a path, a file URL, or an http(s) URL whose file is downloaded into a cache. The
// BLAKE2b-512 it must have is known before the first byte comes; nothing gets its name in the cache before the whole file has
// that hash. A broken download leaves a .part file, which the next one goes on with.

import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AttestreamError, isAttestreamError } from '../../engine/core/errors.ts'
import { HEADER_BYTES, KNOWN_POWERS_OF_TAU, checkPowersOfTau, parsePower } from './powers-of-tau.ts'
import type { OnStep } from './snarkjs.ts'

export interface PowersOfTauOptions {
  /** Keeps downloaded files, named by their hashes; created if missing. */
  readonly cacheDir: string
  /** BLAKE2b-512 in hexadecimal, if the file is not one of the known ceremony. */
  readonly expectedHash?: string
  readonly onStep?: OnStep
  /** Without a byte for so long a connection counts as broken. */
  readonly stallMs?: number
}

export interface PowersOfTauFile {
  readonly path: string
  /** BLAKE2b-512 in hexadecimal, checked now. */
  readonly hash: string
}

class PartTooLong extends Error {}

const STALL_MS = 30_000
/** Connections in a row that bring nothing before the download is given up. */
const MAX_FRUITLESS = 3
/** A prepared file has 1,152 bytes a power, and its contributions and section heads besides. */
const BYTES_PER_POWER = 1152
const MAX_EXTRA_BYTES = 4 * 2 ** 20

/**
 * The file at `place`, downloaded if need be, its hash checked. Throws POWERS_OF_TAU_MISMATCH for another file than expected,
 * POWERS_OF_TAU_UNAVAILABLE if it cannot be had.
 */
export async function obtainPowersOfTau(place: string, options: PowersOfTauOptions): Promise<PowersOfTauFile> {
  const { expectedHash, onStep } = options
  if (/^https?:\/\//i.test(place)) return download(new URL(place), options)
  const path = place.startsWith('file:') ? fileURLToPath(place) : place
  if (!existsSync(path))
    throw new AttestreamError('POWERS_OF_TAU_UNAVAILABLE', `There is no file ${path}. Check the path.`)
  onStep?.('Hashing the powers of tau')
  return { path, hash: await checkPowersOfTau(path, expectedHash) }
}

/** The file of this hash in the cache, or undefined; one that has another hash by now is removed. */
export async function cachedPowersOfTau(hash: string, cacheDir: string): Promise<PowersOfTauFile | undefined> {
  const path = join(cacheDir, `${hash.toLowerCase()}.ptau`)
  if (!existsSync(path)) return undefined
  try {
    return { path, hash: await checkPowersOfTau(path, hash) }
  } catch (error) {
    if (!isAttestreamError(error, 'POWERS_OF_TAU_MISMATCH')) throw error
    rmSync(path)
    return undefined
  }
}

async function download(url: URL, options: PowersOfTauOptions): Promise<PowersOfTauFile> {
  const expected = (options.expectedHash ?? hashOfName(url))?.toLowerCase()
  if (expected === undefined) {
    const why = 'its name is none of the known ceremony, so that its hash must be named; give its BLAKE2b-512'
    throw new AttestreamError('POWERS_OF_TAU_MISMATCH', `${nameOf(url)} is not downloaded: ${why}.`)
  }
  mkdirSync(options.cacheDir, { recursive: true })
  const cached = await cachedPowersOfTau(expected, options.cacheDir)
  if (cached) return cached
  const path = join(options.cacheDir, `${expected}.ptau`)
  const part = `${path}.part`
  try {
    await receive(url, part, options)
    options.onStep?.('Hashing the powers of tau')
    await checkPowersOfTau(part, expected)
  } catch (error) {
    if (isAttestreamError(error, 'POWERS_OF_TAU_MISMATCH')) rmSync(part, { force: true })
    throw error
  }
  renameSync(part, path)
  return { path, hash: expected }
}

/** The known ceremony's file names end with their power, the largest's without. */
function hashOfName({ pathname }: URL): string | undefined {
  const name = /\/powersOfTau28_hez_final(?:_(\d\d))?\.ptau$/.exec(pathname)
  return name ? KNOWN_POWERS_OF_TAU.get(Number(name[1] ?? 28)) : undefined
}

/** Goes on after every break as long as each connection brings something. */
async function receive(url: URL, part: string, options: PowersOfTauOptions): Promise<void> {
  for (let fruitless = 0; ;) {
    const before = sizeOf(part)
    try {
      await receiveOnce(url, part, options)
      return
    } catch (error) {
      if (isAttestreamError(error)) throw error
      if (error instanceof PartTooLong) rmSync(part)
      fruitless = sizeOf(part) > before ? 0 : fruitless + 1
      if (fruitless === MAX_FRUITLESS) throw unavailable(url, error)
      options.onStep?.(`Connection broken (${reasonOf(error)}), going on`)
    }
  }
}

async function receiveOnce(url: URL, part: string, { onStep, stallMs = STALL_MS }: PowersOfTauOptions): Promise<void> {
  const had = sizeOf(part)
  const stall = new AbortController()
  let timer = setTimeout(() => stall.abort(new Error('no answer')), stallMs)
  try {
    const headers = { 'accept-encoding': 'identity', ...(had > 0 ? { range: `bytes=${had}-` } : {}) }
    const reply = await fetch(url, { headers, signal: stall.signal })
    const { start, size } = rangeOf(reply, had)
    if (start === undefined) return
    if (start !== had) truncateSync(part, start)
    const file = await open(part, start > 0 ? 'a' : 'w')
    try {
      let done = start
      for await (const chunk of reply.body as unknown as AsyncIterable<Uint8Array>) {
        clearTimeout(timer)
        timer = setTimeout(() => stall.abort(new Error('no byte for a while')), stallMs)
        await file.appendFile(chunk)
        done += chunk.length
        refuseForeign(url, part, done, size)
        onStep?.('Downloading the powers of tau', size === undefined ? undefined : done / size)
      }
      if (size !== undefined && done < size) throw new Error(`${done} of ${size} bytes came`)
    } finally {
      await file.close()
    }
  } finally {
    clearTimeout(timer)
  }
}

/** Where the reply's bytes begin in the file, undefined if we have all, and the size of the whole file, if it is told. */
function rangeOf(reply: Response, had: number): { start?: number; size?: number } {
  const length = reply.headers.get('content-length')
  const range = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(reply.headers.get('content-range') ?? '')
  const total = range?.[2] === undefined || range[2] === '*' ? undefined : Number(range[2])
  if (reply.status === 200) return { start: 0, ...(length === null ? {} : { size: Number(length) }) }
  if (reply.status === 206 && Number(range?.[1]) === had) return { start: had, ...(total ? { size: total } : {}) }
  if (reply.status === 416 && (total === undefined || total === had)) return {}
  if (reply.status === 416) throw new PartTooLong('more had come than the file has')
  if (reply.status >= 500) throw new Error(`HTTP ${reply.status}`)
  throw new AttestreamError(
    'POWERS_OF_TAU_UNAVAILABLE',
    `The server of the powers of tau answers with HTTP ${reply.status}. Check the URL.`,
  )
}

/** Ends a download at once that is no powers-of-tau file, or is larger than one of its power. */
function refuseForeign(url: URL, part: string, done: number, size: number | undefined): void {
  if (done < HEADER_BYTES) return
  const power = parsePower(headOf(part))
  const limit = power === undefined ? 0 : BYTES_PER_POWER * 2 ** power + MAX_EXTRA_BYTES
  if (Math.max(done, size ?? 0) <= limit) return
  const why = power === undefined ? 'is not a powers-of-tau file' : `is larger than a file of 2^${power} powers can be`
  throw new AttestreamError('POWERS_OF_TAU_MISMATCH', `What ${nameOf(url)} gives ${why}. Check the URL.`)
}

function headOf(path: string): Buffer {
  const head = Buffer.alloc(HEADER_BYTES)
  const file = openSync(path, 'r')
  try {
    readSync(file, head, 0, HEADER_BYTES, 0)
  } finally {
    closeSync(file)
  }
  return head
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? error.cause.message : error.message
}

/** Without the query, which may hold a secret. */
function nameOf({ origin, pathname }: URL): string {
  return origin + pathname
}

function unavailable(url: URL, cause: unknown): AttestreamError {
  const message = `${nameOf(url)} cannot be downloaded: ${reasonOf(cause)}. What came is kept; run the command again to go on.`
  return new AttestreamError('POWERS_OF_TAU_UNAVAILABLE', message, {}, { cause })
}
