// docs/ceremony.md: its commands run in the order in which they stand, with a small circuit in place of the batch circuit that the page
// names, which would take minutes, and with small powers of tau from a server of our own.

import { createHash } from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { ceremonyCommand } from '../../cli/ceremony/index.ts'
import { compiledTiny, endSnarkjs, writeTinyPowersOfTau } from '../circuits/setup/tiny.ts'

const page = readFileSync('docs/ceremony.md', 'utf8')
const lines = /```sh\n([\s\S]*?)```/
  .exec(page)![1]!
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
const directory = mkdtempSync(join(tmpdir(), 'attestream-ceremony-page-'))
const file = (name: string) => join(directory, name)
const DICE = 'six four three one one five'
let server: Server
let url: string
let hash: string

beforeAll(async () => {
  mkdirSync(file('circuit'))
  copyFileSync((await compiledTiny()).r1cs, file('circuit/main.r1cs'))
  await writeTinyPowersOfTau(file('tiny.ptau'))
  const bytes = readFileSync(file('tiny.ptau'))
  hash = createHash('blake2b512').update(bytes).digest('hex')
  writeFileSync(file('dice.txt'), DICE)
  server = createServer((_, reply) => reply.end(bytes))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/tiny.ptau`
})
afterAll(async () => {
  server.close()
  await endSnarkjs()
  rmSync(directory, { recursive: true, force: true })
})

interface Said {
  readonly printed: string
  readonly refused: string
  readonly status: number
}

/** Runs a line of the page. Every command that looks at powers of tau is told the hash of these. */
async function run(line: string, adaHash = ''): Promise<Said> {
  const [program, noun, ...args] = line
    .replace('meter.wasm --cohort 4 --frame 4', file('circuit'))
    .replace(/(?<=\s)(ceremony|dice\.txt)(?=\s|$)/g, (name, _, at: number) => (at < 15 ? name : file(name)))
    .replace('$PTAU', url)
    .replace('$BLOCK', '00000000000000000001a2b3')
    .replace('$HASH', adaHash)
    .match(/"[^"]*"|\S+/g)!
    .map((word) => word.replaceAll('"', ''))
  expect([program, noun]).toEqual(['attestream', 'ceremony'])
  const own = /^(new|verify|finish)$/.test(args[0]!) ? ['--ptau-hash', hash, '--cache', file('cache')] : []
  const printed: string[] = []
  const refused: string[] = []
  const log = vi.spyOn(console, 'log').mockImplementation((text: string) => void printed.push(text))
  const error = vi.spyOn(console, 'error').mockImplementation((text: string) => void refused.push(text))
  const progress = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    refused.push(String(text))
    return true
  })
  await ceremonyCommand().parseAsync([...args, ...own], { from: 'user' })
  for (const spy of [log, error, progress]) spy.mockRestore()
  const status = Number(process.exitCode ?? 0)
  process.exitCode = 0
  return { printed: printed.join('\n'), refused: refused.join('\n'), status }
}

describe('the ceremony page', () => {
  it('has commands that run in this order and give a key for production', async () => {
    let ada = ''
    let said: Said | undefined
    for (const line of lines) {
      said = await run(line, ada)
      expect(said, line).toMatchObject({ status: 0 })
      expect(said.printed + said.refused, 'entropy is in no output').not.toContain(DICE)
      if (line.includes('Ada')) ada = /Contribution hash \(BLAKE2b-512\): ([0-9a-f]{128})/.exec(said.printed)![1]!
      if (line.includes(' finish ')) expect(said.printed).toMatch(/devSetup +false[\s\S]*setup: \{"kind":"ptau"/)
    }
    expect(said!.printed).toMatch(
      new RegExp(`Ada Example +${ada}[\\s\\S]*Grace Example[\\s\\S]*The chain of 3 contributions`),
    )
    expect(
      readdirSync(file('ceremony')).filter((name) => readFileSync(file(`ceremony/${name}`)).includes(DICE)),
    ).toEqual([])
    expect(JSON.parse(readFileSync(file('ceremony/setup.json'), 'utf8'))).toMatchObject({ devSetup: false })
    expect(readFileSync(file('ceremony/0001.txt'), 'utf8')).toContain(ada)
  })

  it.each([
    ['verify ceremony --includes 00', 1, 'CEREMONY_INVALID'],
    ['contribute ceremony --name Late', 1, 'CEREMONY_CLOSED'],
    ['verify nowhere', 1, 'CEREMONY_INVALID'],
    ['new nowhere --ptau $PTAU -o elsewhere', 2, 'INPUT_INVALID'],
    ['contribute ceremony --name Late --entropy-file nowhere', 2, 'INPUT_INVALID'],
  ])('has commands that end with a code: %s', async (line, status, code) => {
    const said = await run(`attestream ceremony ${line}`)
    expect(said).toMatchObject({ status, refused: expect.stringContaining(code) as unknown })
  })

  it('has commands that print JSON', async () => {
    const { printed } = await run('attestream ceremony verify ceremony --json')
    const report = JSON.parse(printed) as { contributors: { name: string }[] }
    expect(report.contributors.map(({ name }) => name)).toEqual(['Ada Example', 'Grace Example'])
  })

  it('C-03 refuses powers of tau that are not of the known ceremony, unless who verifies names them', async () => {
    hash = 'ab'.repeat(64)
    expect(await run('attestream ceremony verify ceremony')).toMatchObject({
      status: 1,
      refused: expect.stringContaining('POWERS_OF_TAU_MISMATCH') as unknown,
    })
  })

  it('has links to files that exist', () => {
    const targets = [...page.matchAll(/\]\((?!http)([^)#]+)/g)].map((match) => join('docs', match[1]!))
    expect(targets.filter((target) => !existsSync(target))).toEqual([])
  })
})
