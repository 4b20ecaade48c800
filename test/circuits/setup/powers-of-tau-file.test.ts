// Powers of tau from a path and from a server of our own that breaks, lies, or knows no ranges.

import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { cachedPowersOfTau, obtainPowersOfTau } from '../../../circuits/setup/powers-of-tau-file.ts'
import { KNOWN_POWERS_OF_TAU } from '../../../circuits/setup/powers-of-tau.ts'

/** The head of a file of 2^10 powers; what follows is arbitrary, since only hash and size count here. */
const bytes = Buffer.concat([head(10), randomBytes(1_000_000)])
const hash = blake2b(bytes)
const refusedBy = (code: string, message = '') =>
  expect.objectContaining({ code, message: expect.stringContaining(message) as unknown }) as unknown as Error

let server: Server
let base: string
let answer: (request: IncomingMessage, reply: ServerResponse) => void
let ranges: (string | undefined)[]
let cacheDir: string

beforeAll(async () => {
  server = createServer((request, reply) => {
    ranges.push(request.headers.range)
    answer(request, reply)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => server.close())
beforeEach(() => {
  ranges = []
  answer = withRanges()
  cacheDir = mkdtempSync(join(tmpdir(), 'attestream-ptau-'))
})
afterEach(() => rmSync(cacheDir, { recursive: true, force: true }))

const get = (name = 'some.ptau', expectedHash: string | undefined = hash) =>
  obtainPowersOfTau(`${base}/${name}`, { cacheDir, stallMs: 2000, ...(expectedHash ? { expectedHash } : {}) })
const part = () => join(cacheDir, `${hash}.ptau.part`)

describe('powers of tau by URL', () => {
  it('are downloaded once and then taken from the cache', async () => {
    const steps: unknown[] = []
    const onStep = (text: string, fraction?: number) => void steps.push([text, fraction])
    const file = await obtainPowersOfTau(`${base}/x`, { cacheDir, expectedHash: hash.toUpperCase(), onStep })
    expect(readFileSync(file.path).equals(bytes)).toBe(true)
    expect(await get()).toEqual(file)
    expect([ranges, readdirSync(cacheDir)]).toEqual([[undefined], [`${hash}.ptau`]])
    expect(steps).toContainEqual(['Downloading the powers of tau', 1])
  })

  it('go on where the connection broke', async () => {
    answer = withRanges(300_000)
    expect((await get()).hash).toBe(hash)
    expect(ranges.length).toBeGreaterThan(2)
    expect(ranges.slice(1).every((range) => /^bytes=[1-9]\d*-$/.test(range!))).toBe(true)
  })

  it('go on in a later run, after one that was given up', async () => {
    let served = 0
    answer = (request, reply) => (served++ === 0 ? withRanges(500_000)(request, reply) : request.socket.destroy())
    await expect(get()).rejects.toThrow(refusedBy('POWERS_OF_TAU_UNAVAILABLE', 'go on'))
    const kept = readFileSync(part()).length
    expect(kept).toBeGreaterThan(0)
    answer = withRanges()
    ranges = []
    expect((await get()).hash).toBe(hash)
    expect(ranges).toEqual([`bytes=${kept}-`])
  })

  it('begin again at a server that knows no ranges', async () => {
    writeFileSync(part(), bytes.subarray(0, 5000))
    answer = (_, reply) => reply.end(bytes)
    expect((await get()).hash).toBe(hash)
  })

  it('are complete if all had come before', async () => {
    writeFileSync(part(), bytes)
    expect((await get()).hash).toBe(hash)
    expect(ranges).toEqual([`bytes=${bytes.length}-`])
  })

  it('begin again if more had come than the file has', async () => {
    writeFileSync(part(), Buffer.concat([bytes, bytes]))
    expect((await get()).hash).toBe(hash)
  })

  it('are given up when no byte comes', async () => {
    answer = (_, reply) => void reply.writeHead(200, { 'content-length': bytes.length }).write(bytes.subarray(0, 100))
    const attempt = obtainPowersOfTau(`${base}/x`, { cacheDir, expectedHash: hash, stallMs: 50 })
    await expect(attempt).rejects.toThrow(refusedBy('POWERS_OF_TAU_UNAVAILABLE'))
  })

  it.each<[string, Buffer]>([
    ['of another hash', Buffer.concat([head(10), randomBytes(5000)])],
    ['that is something else', randomBytes(5000)],
    ['that is cut short, its length told wrong', bytes.subarray(0, 5000)],
    ['larger than one of its power', Buffer.concat([head(2), randomBytes(5_000_000)])],
    ['of nothing', Buffer.alloc(0)],
  ])('C-03 are refused when the server gives a file %s, and nothing is left', async (_, content) => {
    answer = (_request, reply) => reply.end(content)
    await expect(get()).rejects.toThrow(refusedBy('POWERS_OF_TAU_MISMATCH'))
    expect(readdirSync(cacheDir)).toEqual([])
  })

  it('C-03 are refused, and nothing is left, when what was there before is of another file', async () => {
    writeFileSync(part(), randomBytes(5000))
    await expect(get()).rejects.toThrow(refusedBy('POWERS_OF_TAU_MISMATCH'))
    expect(readdirSync(cacheDir)).toEqual([])
  })

  it.each([404, 403])('are not to be had when the server answers with %i', async (status) => {
    answer = (_, reply) => reply.writeHead(status).end('no')
    await expect(get()).rejects.toThrow(refusedBy('POWERS_OF_TAU_UNAVAILABLE', `${status}`))
    expect([ranges.length, readdirSync(cacheDir)]).toEqual([1, []])
  })

  it('need a hash: by the name of the known ceremony, or by the operator', async () => {
    for (const name of ['unknown.ptau', 'powersOfTau28_hez_final_9.ptau', 'powersOfTau28_hez_final.zip']) {
      await expect(get(name, '')).rejects.toThrow(refusedBy('POWERS_OF_TAU_MISMATCH', 'hash must be named'))
    }
    expect(ranges).toEqual([])
    const known = get('powersOfTau28_hez_final_10.ptau', '')
    await expect(known).rejects.toThrow(refusedBy('POWERS_OF_TAU_MISMATCH', KNOWN_POWERS_OF_TAU.get(10)))
  })

  it('are in no message with the query of their URL', async () => {
    answer = (request) => request.socket.destroy()
    await expect(get('x.ptau?token=secret')).rejects.not.toThrow('secret')
  })

  it('are downloaded again when the file in the cache has rotted', async () => {
    const { path } = await get()
    truncateSync(path, 70)
    expect(await cachedPowersOfTau(hash, cacheDir)).toBeUndefined()
    expect(existsSync(path)).toBe(false)
    expect((await get()).hash).toBe(hash)
  })
})

describe('powers of tau by path', () => {
  it('are taken where they are, by a file URL too', async () => {
    const path = join(cacheDir, 'own.ptau')
    writeFileSync(path, bytes)
    for (const place of [path, pathToFileURL(path).href]) {
      expect(await obtainPowersOfTau(place, { cacheDir, expectedHash: hash })).toEqual({ path, hash })
    }
    await expect(obtainPowersOfTau(path, { cacheDir })).rejects.toThrow(refusedBy('POWERS_OF_TAU_MISMATCH'))
    truncateSync(path, 70)
    const truncated = obtainPowersOfTau(path, { cacheDir, expectedHash: hash })
    await expect(truncated).rejects.toThrow(refusedBy('POWERS_OF_TAU_MISMATCH'))
  })

  it('are not to be had where there is no file', async () => {
    const attempt = obtainPowersOfTau(join(cacheDir, 'none'), { cacheDir })
    await expect(attempt).rejects.toThrow(refusedBy('POWERS_OF_TAU_UNAVAILABLE'))
  })
})

/** Serves ranges, at most `limit` bytes of each before it breaks the connection. */
function withRanges(limit = Infinity) {
  return (request: IncomingMessage, reply: ServerResponse) => {
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
    if (start >= bytes.length) return void reply.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end()
    const range = { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` }
    reply.writeHead(start > 0 ? 206 : 200, { 'content-length': bytes.length - start, ...(start > 0 ? range : {}) })
    if (bytes.length - start <= limit) return void reply.end(bytes.subarray(start))
    reply.write(bytes.subarray(start, start + limit), () => setTimeout(() => request.socket.destroy(), 20))
  }
}

function head(power: number): Buffer {
  const start = Buffer.alloc(64)
  start.write('ptau')
  start.writeUInt32LE(1, 12)
  start.writeUInt32LE(32, 24)
  start.writeUInt32LE(power, 60)
  return start
}

function blake2b(content: Buffer): string {
  return createHash('blake2b512').update(content).digest('hex')
}
