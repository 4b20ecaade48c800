// A ceremony from the first key to the circuit that is built with it, on a circuit of a few constraints; then everything that someone
// on the way could change.

import { createHash } from 'node:crypto'
import {
  cpSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fileSha256, readTranscript } from '../../../circuits/setup/ceremony-transcript.ts'
import {
  addBeacon,
  addContribution,
  createCeremony,
  finishCeremony,
  verifyCeremony,
  type ContributionMade,
  type FinishedCeremony,
} from '../../../circuits/setup/ceremony.ts'
import { contribute } from '../../../circuits/setup/phase2.ts'
import { isDevelopmentSetup, makeProvingKey, setupTranscript } from '../../../circuits/setup/proving-key.ts'
import { compiledTiny, endSnarkjs, writeTinyPowersOfTau } from './tiny.ts'

const root = mkdtempSync(join(tmpdir(), 'attestream-ceremony-'))
const dir = join(root, 'ceremony')
const beacon = { hash: '0102030405060708090A', iterationsExp: 10 }
const nothing = new Uint8Array()
const steps: [string, number | undefined][] = []
const onStep = (text: string, fraction?: number) => void steps.push([text, fraction])
const refusedBy = (code: string, message = '') =>
  expect.objectContaining({ code, message: expect.stringContaining(message) as unknown }) as unknown as Error
const made: ContributionMade[] = []
let r1cs: string
let ptau: { path: string; hash: string }
let finished: FinishedCeremony

beforeAll(async () => {
  r1cs = (await compiledTiny()).r1cs
  const path = join(root, 'tiny.ptau')
  await writeTinyPowersOfTau(path)
  ptau = { path, hash: createHash('blake2b512').update(readFileSync(path)).digest('hex') }
  await createCeremony(dir, r1cs, ptau, onStep)
  await verifyCeremony(dir, ptau, onStep)
  await expect(finishCeremony(dir, ptau, onStep)).rejects.toThrow(refusedBy('CEREMONY_INCOMPLETE'))
  made.push(await addContribution(dir, 'Ada', Buffer.from('dice'), onStep))
  cpSync(dir, join(root, 'after-ada'), { recursive: true })
  made.push(await addContribution(dir, 'Grace', nothing, onStep))
  made.push(await addBeacon(dir, beacon, onStep))
  finished = await finishCeremony(dir, ptau, onStep)
})
afterAll(async () => {
  await endSnarkjs()
  rmSync(root, { recursive: true, force: true })
})

describe('a ceremony', () => {
  it('tells who contributed, and by which hash each finds his part', async () => {
    const report = await verifyCeremony(dir, ptau, onStep)
    expect(report.contributors.map(({ name, hash }) => [name, hash])).toEqual(
      made.slice(0, 2).map(({ name, hash }) => [name, hash]),
    )
    expect(report.beacon).toEqual({ hash: beacon.hash.toLowerCase(), iterationsExp: 10 })
    for (const { hash, attestation } of made) expect(attestation).toContain(hash)
    expect(steps.some(([text, fraction]) => text.includes('L Section') && fraction !== undefined)).toBe(true)
  })

  it('needs no key but the newest', async () => {
    const slim = copyOf(dir)
    for (const file of ['0000.zkey', '0001.zkey']) rmSync(join(slim, file))
    expect((await verifyCeremony(slim, ptau, onStep)).absent).toEqual(['0000.zkey', '0001.zkey'])
  })

  it('C-11 gives a key that the build takes for no development setup, with the hashes that were told', async () => {
    const zkey = join(root, 'main.zkey')
    const setup = { kind: 'ptau', path: ptau.path, expectedHash: ptau.hash, zkeyPath: finished.zkey } as const
    const origin = await makeProvingKey(r1cs, zkey, setup)
    expect([isDevelopmentSetup(origin), finished.devSetup]).toEqual([false, false])
    expect(setupTranscript(zkey, origin).hash).toBe(finished.setupTranscriptHash)
    expect(finished).toMatchObject({ r1csSha256: await fileSha256(r1cs), contributors: ['Ada', 'Grace'] })
  })

  it('D-01 writes through no link that somebody left in its directory', async () => {
    const copy = copyOf(join(root, 'after-ada'))
    const mine = join(root, 'mine.txt')
    writeFileSync(mine, 'mine')
    const names = ['final.zkey', 'final.zkey.part', 'setup.json', 'setup.json.part', 'verifying-key.json']
    for (const name of names) symlinkSync(mine, join(copy, name))
    await finishCeremony(copy, ptau, onStep)
    expect(readFileSync(mine, 'utf8')).toBe('mine')
  })

  it('C-03 of one contributor stays a development setup', async () => {
    expect(await finishCeremony(copyOf(join(root, 'after-ada')), ptau, onStep)).toMatchObject({ devSetup: true })
  })

  it('takes nothing after its beacon', async () => {
    await expect(addContribution(dir, 'Late', nothing, onStep)).rejects.toThrow(refusedBy('CEREMONY_CLOSED'))
    await expect(addBeacon(dir, beacon, onStep)).rejects.toThrow(refusedBy('CEREMONY_CLOSED'))
  })

  it('C-03 never gets the same key twice from the same entropy', async () => {
    const again = copyOf(join(root, 'after-ada'))
    const [first, second] = [copyOf(again), again]
    const hashes = [first, second].map(
      async (copy) => (await addContribution(copy, 'Grace', Buffer.from('same'), onStep)).hash,
    )
    expect(await hashes[0]).not.toBe(await hashes[1])
  })

  it.each(['', ' Ada', 'Ada', 'beacon', 'a\nb', '\u202eada', 'a'.repeat(65)])('refuses the name %j', async (name) => {
    const attempt = addContribution(join(root, 'after-ada'), name, nothing, onStep)
    await expect(attempt).rejects.toThrow(refusedBy('INPUT_INVALID'))
  })

  it.each([{ hash: '' }, { hash: 'xy' }, { hash: '012' }, { iterationsExp: 9 }])(
    'refuses the beacon %j',
    async (part) => {
      const attempt = addBeacon(join(root, 'after-ada'), { ...beacon, ...part }, onStep)
      await expect(attempt).rejects.toThrow(refusedBy('INPUT_INVALID'))
    },
  )

  it('is not begun where something is', async () => {
    await expect(createCeremony(dir, r1cs, ptau, onStep)).rejects.toThrow(refusedBy('INPUT_INVALID'))
  })

  it('leaves nothing where it could not begin', async () => {
    const big = (await compiledTiny(40)).r1cs
    const attempt = createCeremony(join(root, 'big'), big, ptau, onStep)
    await expect(attempt).rejects.toThrow(refusedBy('POWERS_OF_TAU_TOO_SMALL'))
    expect(readdirSync(root).filter((name) => name.startsWith('big') || name.startsWith('.building'))).toEqual([])
  })

  it('goes on after a contribution that was killed, before its key was entered too', async () => {
    const copy = copyOf(join(root, 'after-ada'))
    writeFileSync(join(copy, '0002.zkey.part'), 'half a key')
    copyFileSync(join(dir, '0002.zkey'), join(copy, '0002.zkey'))
    await addContribution(copy, 'Grace', nothing, onStep)
    const report = await verifyCeremony(copy, ptau, onStep)
    expect(report.contributors.map(({ name }) => name)).toEqual(['Ada', 'Grace'])
    expect(readdirSync(copy).filter((name) => name.endsWith('.part'))).toEqual([])
  })
})

describe('C-03 a ceremony is refused when', () => {
  it.each<[string, string, string, (copy: string) => void | Promise<void>]>([
    ['a contribution is replaced', 'CEREMONY_INVALID', '0001.zkey', (copy) => replaceKey(copy, '0001.zkey')],
    [
      'the newest key is another',
      'CEREMONY_INVALID',
      '0003.zkey',
      (copy) => copyFileSync(join(copy, '0002.zkey'), join(copy, '0003.zkey')),
    ],
    ['the newest key is missing', 'CEREMONY_INVALID', '0003.zkey', (copy) => rmSync(join(copy, '0003.zkey'))],
    ['two keys change places', 'CEREMONY_INVALID', '0001.zkey', (copy) => swap(copy, '0001.zkey', '0002.zkey')],
    ['its circuit is another', 'CEREMONY_INVALID', 'circuit.r1cs', (copy) => appendByte(join(copy, 'circuit.r1cs'))],
    [
      'the transcript names somebody else',
      'CEREMONY_INVALID',
      'other contributions',
      (copy) => edit(copy, (text) => text.replace('"Ada"', '"Eve"')),
    ],
    [
      'the transcript has another hash of a contribution',
      'CEREMONY_INVALID',
      'other contributions',
      (copy) => edit(copy, (text) => text.replace(made[0]!.hash, made[1]!.hash)),
    ],
    [
      'the transcript changes the order',
      'CEREMONY_INVALID',
      'other contributions',
      (copy) =>
        edit(copy, (text) => text.replace('"Ada"', '"X"').replace('"Grace"', '"Ada"').replace('"X"', '"Grace"')),
    ],
    [
      'the transcript makes a person of the beacon',
      'CEREMONY_INVALID',
      'other contributions',
      (copy) => edit(copy, (text) => text.replace(/,\s*"beacon": \{[^}]*\}/, '')),
    ],
    [
      'the transcript tells another number of constraints',
      'CEREMONY_INVALID',
      'size',
      (copy) => edit(copy, (text) => text.replace(/"constraints": \d+/, '"constraints": 7')),
    ],
    [
      'the transcript names other powers of tau',
      'CEREMONY_INVALID',
      'powers of tau',
      (copy) => edit(copy, (text) => text.replace(ptau.hash, 'ab'.repeat(64))),
    ],
    [
      'a name moves the cursor of whoever reads it',
      'CEREMONY_INVALID',
      'documented form',
      (copy) => edit(copy, (text) => text.replace('"Ada"', String.raw`"\u001b[2KAda"`)),
    ],
    ['the transcript is none', 'CEREMONY_INVALID', 'not JSON', (copy) => edit(copy, () => '{')],
    [
      'the transcript lacks something',
      'CEREMONY_INVALID',
      'documented form',
      (copy) => edit(copy, (text) => text.replace('"sha256"', '"sha"')),
    ],
    [
      'the transcript names a file elsewhere',
      'CEREMONY_INVALID',
      'documented form',
      (copy) => edit(copy, (text) => text.replace('0003.zkey', '../0003.zkey')),
    ],
  ])('%s', async (_, code, message, tamper) => {
    const copy = copyOf(dir)
    await tamper(copy)
    await expect(verifyCeremony(copy, ptau, onStep)).rejects.toThrow(refusedBy(code, message))
  })

  it('a key is of another circuit and the transcript tells so', async () => {
    const other = join(root, 'other')
    await createCeremony(other, (await compiledTiny(4)).r1cs, ptau, onStep)
    await addContribution(other, 'Ada', nothing, onStep)
    copyFileSync(r1cs, join(other, 'circuit.r1cs'))
    const { circuit } = readTranscript(dir)
    const { circuitHash } = readTranscript(other).circuit
    edit(other, (text) => JSON.stringify({ ...(JSON.parse(text) as object), circuit: { ...circuit, circuitHash } }))
    await expect(verifyCeremony(other, ptau, onStep)).rejects.toThrow(refusedBy('PROVING_KEY_REFUSED'))
  })

  it('its newest key was made from another than the one before', async () => {
    const copy = copyOf(join(root, 'after-ada'))
    await addContribution(copy, 'Grace', nothing, onStep)
    await replaceKey(copy, '0001.zkey')
    edit(copy, (text) => text.replace(readTranscript(dir).keys[1]!.sha256, sha256(join(copy, '0001.zkey'))))
    await expect(verifyCeremony(copy, ptau, onStep)).rejects.toThrow(refusedBy('CEREMONY_INVALID', 'does not lead to'))
  })

  it('C-03 a first key that nobody contributed to is not that of its circuit', async () => {
    const copy = join(root, 'first')
    await createCeremony(copy, r1cs, ptau, onStep)
    const bytes = readFileSync(join(copy, '0000.zkey'))
    bytes[bytes.length - 300]! ^= 1
    const before = sha256(join(copy, '0000.zkey'))
    writeFileSync(join(copy, '0000.zkey'), bytes)
    edit(copy, (text) => text.replace(before, sha256(join(copy, '0000.zkey'))))
    await expect(verifyCeremony(copy, ptau, onStep)).rejects.toThrow(refusedBy('CEREMONY_INVALID', 'does not follow'))
  })
})

let copies = 0
function copyOf(from: string): string {
  const copy = join(root, `copy-${copies++}`)
  cpSync(from, copy, { recursive: true })
  return copy
}

/** Another person's contribution in place of the one that was made. */
async function replaceKey(copy: string, file: string): Promise<void> {
  rmSync(join(copy, file))
  await contribute(join(copy, '0000.zkey'), join(copy, file), 'Ada', 'forged')
}

function swap(copy: string, one: string, two: string): void {
  renameSync(join(copy, one), join(copy, 'x'))
  renameSync(join(copy, two), join(copy, one))
  renameSync(join(copy, 'x'), join(copy, two))
}

function appendByte(path: string): void {
  writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.of(0)]))
}

function edit(copy: string, change: (text: string) => string): void {
  const path = join(copy, 'ceremony.json')
  const text = readFileSync(path, 'utf8')
  expect(change(text)).not.toBe(text)
  writeFileSync(path, change(text))
}

function sha256(path: string): string {
  expect(existsSync(path)).toBe(true)
  return `0x${createHash('sha256').update(readFileSync(path)).digest('hex')}`
}
