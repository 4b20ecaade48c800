import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { BuiltApplet } from '../../applets/build.ts'
import { buildApplet, buildAppletsWithSource, buildAppletWithSource } from '../../applets/build.ts'
import type { SourceLines } from '../../applets/source-lines.ts'
import { parseSourceLines } from '../../applets/source-lines.ts'
import type { Instruction } from '../../engine/core/wasm.ts'
import { decodeWasm } from '../../engine/core/wasm.ts'

const ROOT = new URL('../../', import.meta.url).pathname
const folder = mkdtempSync(join(tmpdir(), 'source-lines-'))
afterAll(() => rmSync(folder, { recursive: true }))

const names = readdirSync(join(ROOT, 'applets'))
  .filter(
    (file) => file.endsWith('.ts') && readFileSync(join(ROOT, 'applets', file), 'utf8').includes('function verify('),
  )
  .map((file) => file.slice(0, -'.ts'.length))

describe('building with a source map', () => {
  it('gives a map for every applet, whose bytes stay those of a build without', async () => {
    const built = (await buildAppletsWithSource(names.map((name) => `applets/${name}.ts`))) as BuiltApplet[]
    expect(names.length).toBeGreaterThanOrEqual(3)
    names.forEach((name, k) =>
      expect({ name, map: built[k]!.sourceMap?.slice(0, 12) }).toEqual({ name, map: '{"version":3' }),
    )
    const name = names.at(-1)!
    const outFile = join(folder, 'plain.wasm')
    execFileSync('npx', ['asc', `applets/${name}.ts`, '-o', outFile], { cwd: ROOT })
    expect(Buffer.compare(built.at(-1)!.wasm, readFileSync(outFile))).toBe(0)
    expect(Buffer.compare(await buildApplet(`applets/${name}.ts`), readFileSync(outFile))).toBe(0)
  })

  it('says why a source does not compile', async () => {
    await expect(buildAppletWithSource('applets/none.ts')).rejects.toMatchObject({ code: 'APPLET_SOURCE_INVALID' })
  })
})

describe('parseSourceLines', () => {
  let wasm: Uint8Array
  let lines: SourceLines
  let instructions: Instruction[]
  beforeAll(async () => {
    const built = await buildAppletWithSource('applets/uptime.ts')
    wasm = built.wasm
    lines = parseSourceLines(built.sourceMap!, wasm)
    instructions = decodeWasm(wasm).functions[0]!.instructions
  })

  const sourceOf = (file: string, text: string) => {
    const all = readFileSync(join(ROOT, file), 'utf8').split('\n')
    const line = all.findIndex((candidate) => candidate.includes(text))
    return { file, line: line + 1, text: all[line]! }
  }

  it('finds the division in the line that divides, and its column', () => {
    const [division] = instructions.filter(({ name }) => name === 'i32.div_u')
    const expected = sourceOf('applets/uptime.ts', 'reading.timeSec / SLOT_SEC')
    const column = expected.text.indexOf('reading.timeSec / SLOT_SEC') + 1
    expect(lines.locate(division!.offset)).toEqual({ ...expected, column })
  })

  it('leaves inlined functions their own lines', () => {
    const shift = instructions.findLast(({ name }) => name === 'i32.shl')
    expect(lines.locate(shift!.offset)).toMatchObject(sourceOf('applets/lib/slots.ts', '(<u32>1) << age'))
  })

  it('gives an instruction without a place the nearest one before', () => {
    const at = instructions.findIndex(({ name }) => name === 'select')
    expect(lines.locate(instructions[at]!.offset)).toEqual(lines.locate(instructions[at - 1]!.offset))
  })

  it('knows nothing before the first function', () => {
    expect(lines.locate(8)).toBeUndefined()
  })
})
