import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { buildApplet } from '../../applets/build.ts'
import { parseAppletAbi } from '../../engine/core/applet.ts'
import { compileApplet } from '../../engine/runner/run.ts'

const ROOT = new URL('../../', import.meta.url).pathname
const folder = mkdtempSync(join(tmpdir(), 'applet-'))
afterAll(() => rmSync(folder, { recursive: true }))

const HEAD = `import { bits } from '${relative(folder, join(ROOT, 'applets/lib/record'))}'\n`
const UNITS = 'export const maxUnitsPerFrame: u64 = 10\n'

function build(source: string): Promise<Uint8Array> {
  const path = join(folder, 'applet.ts')
  writeFileSync(path, source)
  return buildApplet(path)
}

describe('building an applet', () => {
  it('writes types, widths and offsets of the compiled classes', async () => {
    const wasm = await build(`${UNITS}
      function bits(width: i32): (record: usize, field: string) => void { unreachable() }
      @unmanaged class Base { flag: bool; small: i16 }
      @unmanaged class Reading extends Base { @bits(40) wide: i64; tiny: u8 }
      @unmanaged class Context { anchorTimeSec: u64 }
      @unmanaged class Config { price: u16 }
      export function verify(reading: Reading, context: Context, config: Config): u32 {
        return u32(reading.wide) + u32(context.anchorTimeSec) + config.price
      }`)
    expect(parseAppletAbi(wasm)).toEqual({
      parameters: ['reading', 'context', 'config'],
      reading: [
        { name: 'flag', type: 'bool', bits: 1, offset: 0 },
        { name: 'small', type: 'i16', bits: 16, offset: 2 },
        { name: 'wide', type: 'i64', bits: 40, offset: 8 },
        { name: 'tiny', type: 'u8', bits: 8, offset: 16 },
      ],
      state: [],
      config: [{ name: 'price', type: 'u16', bits: 16, offset: 0 }],
      maxUnitsPerFrame: 10n,
    })
  }, 60_000)

  it.each(['energy-meter', 'movement', 'uptime'])(
    'gives plain asc’s bytes for %s, without imports',
    async (name) => {
      const wasm = await buildApplet(join(ROOT, 'applets', `${name}.ts`))
      const outFile = join(folder, `${name}.wasm`)
      const asc = join(ROOT, 'node_modules/assemblyscript/bin/asc.js')
      execFileSync(process.execPath, [asc, `applets/${name}.ts`, '--target', name, '-o', outFile], { cwd: ROOT })
      expect(Buffer.compare(wasm, readFileSync(outFile))).toBe(0)
      expect(Buffer.compare(await buildApplet(join(ROOT, 'applets', `${name}.ts`)), wasm)).toBe(0)
      expect(compileApplet(wasm).abi.parameters).toEqual(['reading', 'state', 'config', 'context'])
    },
    60_000,
  )

  it('builds several at once', async () => {
    const paths = ['energy-meter', 'uptime'].map((name) => join(ROOT, 'applets', `${name}.ts`))
    const [meter, uptime] = await Promise.all(paths.map(buildApplet))
    expect(parseAppletAbi(meter!).reading).toHaveLength(2)
    expect(parseAppletAbi(uptime!).reading).toHaveLength(1)
  }, 60_000)

  const reading = (fields: string) => `${UNITS}@unmanaged class Reading { ${fields} }\n`
  const verify = 'export function verify(reading: Reading): u32 { return 1 }'
  it.each([
    ['a syntax error', 'export function verify(', /expected/],
    ['no verify', UNITS, /no such function/],
    ['a float field', reading('value: f32') + verify, /Reading\.value: f32 is not a field type/],
    ['a string field', reading('value: string') + verify, /Reading\.value: .*String is not a field type/],
    [
      'a record in a record',
      `@unmanaged class Other { x: u8 }\n${reading('value: Other')}${verify}`,
      /not a field type/,
    ],
    ['too many bits', HEAD + reading('@bits(9) value: u8') + verify, /a literal n from 1 to 8/],
    ['no bits', HEAD + reading('@bits(0) value: u8') + verify, /a literal n from 1 to 8/],
    ['one bit for a signed number', HEAD + reading('@bits(1) value: i8') + verify, /a literal n from 2 to 8/],
    ['computed bits', HEAD + reading('@bits(4 + 1) value: u8') + verify, /a literal n/],
    ['an empty Reading', reading('') + verify, /no fields/],
    [
      'a record of more than 1024 bytes',
      reading(Array.from({ length: 129 }, (_, i) => `f${i}: u64`).join('; ')) + verify,
      /Reading takes 1032 bytes/,
    ],
    ['a managed class', `${UNITS}class Reading { value: u8 }\n${verify}`, /@unmanaged class Reading/],
    [
      'an unknown parameter',
      reading('value: u8') + 'export function verify(r: Reading, n: i32): u32 { return 1 }',
      /parameter 2 is i32/,
    ],
    [
      'a Reading that is not first',
      `${reading('value: u8')}@unmanaged class State { x: u8 }
      export function verify(state: State, reading: Reading): u32 { return 1 }`,
      /first parameter/,
    ],
    [
      'another Context',
      `${reading('value: u8')}@unmanaged class Context { now: u64 }
      export function verify(reading: Reading, context: Context): u32 { return 1 }`,
      /exactly/,
    ],
    [
      'another result',
      reading('value: u8') + 'export function verify(reading: Reading): u64 { return 1 }',
      /u32, not u64/,
    ],
    ['no maxUnitsPerFrame', `@unmanaged class Reading { value: u8 }\n${verify}`, /maxUnitsPerFrame: u64/],
    [
      'a variable maxUnitsPerFrame',
      `export let maxUnitsPerFrame: u64 = 1\n@unmanaged class Reading { value: u8 }\n${verify}`,
      /a constant/,
    ],
    [
      'too large a maxUnitsPerFrame',
      `export const maxUnitsPerFrame: u64 = 1 << 38\n@unmanaged class Reading { value: u8 }\n${verify}`,
      /below 2\^38/,
    ],
  ])(
    'refuses %s with the line',
    async (_, source, message) => {
      const refused = expect(build(source)).rejects
      await refused.toMatchObject({ code: 'APPLET_SOURCE_INVALID', message: expect.stringMatching(message) })
    },
    60_000,
  )
})
