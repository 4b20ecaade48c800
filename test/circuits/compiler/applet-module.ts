/** Hand-written applets for the compiler's tests: a body, its records, and seeded inputs. */
import { ANCHOR_TIME_BITS, type AppletAbi, type Field } from '../../../engine/core/applet.ts'
import type { AppletInputs } from '../../../circuits/compiler/index.ts'
import type { Bytes, ModuleSpec } from '../../wasm-builder.ts'
import { buildModule, I32, I64, i64Const } from '../../wasm-builder.ts'

export interface AppletSpec extends Omit<ModuleSpec, 'functions' | 'customs' | 'memoryPages'> {
  reading: readonly Field[]
  state?: readonly Field[]
  config?: readonly Field[]
  context?: boolean
  locals?: Bytes
  code: Bytes
  /** Functions 1, 2, …; verify is function 0. */
  helpers?: ModuleSpec['functions']
  name?: string
  /** Custom sections after attestream.abi. */
  extraCustoms?: NonNullable<ModuleSpec['customs']>
}

/** Fields of consecutive 8-byte places: `u32`, or `i32:20` for 20 declared bits. */
export function fields(...types: string[]): Field[] {
  return types.map((spec, k) => {
    const [type, bits] = spec.split(':') as [Field['type'], string | undefined]
    const width = type === 'bool' ? 1 : Number(type.slice(1))
    return { name: `f${k}`, type, bits: bits === undefined ? width : Number(bits), offset: 8 * k }
  })
}

export function buildTestApplet(spec: AppletSpec): Uint8Array {
  const { reading, state = [], config = [], context = false, locals = [], code, helpers = [] } = spec
  const parameters = ['reading', ...(state.length > 0 ? ['state'] : []), ...(config.length > 0 ? ['config'] : [])]
  if (context) parameters.push('context')
  const abi = new TextEncoder().encode(JSON.stringify({ abi: 1, parameters, reading, state, config }))
  const verify = { parameters: parameters.map(() => I32), results: [I32], locals, code, name: 'verify' }
  return buildModule({
    ...spec,
    functions: [verify, ...helpers],
    memoryPages: 1,
    globals: [...(spec.globals ?? []), { type: I64, mutable: false, init: i64Const(1000n), name: 'maxUnitsPerFrame' }],
    customs: [{ name: 'attestream.abi', bytes: [...abi] }, ...(spec.extraCustoms ?? [])],
  })
}

/** A small deterministic generator (mulberry32). */
export function randomSource(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}

/** A raw value of the width: an edge in half of the cases. */
export function randomValue(random: (below: number) => number, bits: number): bigint {
  const top = 1n << BigInt(bits)
  const edges = [0n, 1n, 2n, top - 1n, top - 2n, top / 2n, top / 2n - 1n, 7n, 31n, 32n, 64n, 100n]
  if (random(2) === 0) return BigInt.asUintN(bits, edges[random(edges.length)]!)
  const size = 1 + random(bits)
  return BigInt.asUintN(size, (BigInt(random(2 ** 32)) << 32n) | BigInt(random(2 ** 32)))
}

export function randomInputs(random: (below: number) => number, abi: AppletAbi): AppletInputs {
  const record = (layout: readonly Field[]): bigint[] => layout.map(({ bits }) => randomValue(random, bits))
  return {
    enabled: random(16) !== 0,
    reading: record(abi.reading),
    state: record(abi.state),
    config: record(abi.config),
    anchorTime: randomValue(random, ANCHOR_TIME_BITS),
  }
}
