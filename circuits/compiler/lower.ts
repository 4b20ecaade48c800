/**
 * From an applet's WASM to the IR of one reading: records are written into memory as input signals, `verify` is
 * executed symbolically, and the outputs are gated by `enabled`, by traps and by the declared widths of State.
 */
import type { AppletAbi, Field, Layout } from '../../engine/core/applet.ts'
import { ANCHOR_TIME_BITS, CONTEXT_LAYOUT, RECORD_ADDRESS } from '../../engine/core/applet.ts'
import { isSigned, storageBits } from '../../engine/core/layout.ts'
import type { WasmModule } from '../../engine/core/wasm.ts'
import { Circuit } from './circuit.ts'
import type { Claim } from './claims.ts'
import { ClaimLog } from './claims.ts'
import { Executor } from './execute.ts'
import { initialState, instantiate } from './instance.ts'
import type { InputSignals, Ir } from './ir.ts'
import { UNSIGNED, proven } from './interval.ts'
import type { Lc } from './lc.ts'
import { ZERO, add, addConstant, addScaled, complement, constantLc, signalLc, subtract, sum } from './lc.ts'
import { Live } from './live.ts'
import { removeUnused } from './prune.ts'
import { Effects } from './purity.ts'
import type { CompilerLimits } from './refusal.ts'
import type { State } from './state.ts'
import { Words } from './words.ts'

/** The circuit of one call of `verify`, which must leave nothing for the next call but State (purity.ts). */
export function lowerPureApplet(module: WasmModule, abi: AppletAbi, limits: CompilerLimits): Ir {
  const { ir, pinned } = lowerWhole(module, abi, limits, { pure: true })
  return removeUnused(ir, pinned)
}

/** The circuit of one call of `verify`, whatever it writes. */
export function lowerApplet(module: WasmModule, abi: AppletAbi, limits: CompilerLimits): Ir {
  const { ir, pinned } = lowerWhole(module, abi, limits)
  return removeUnused(ir, pinned)
}

/** The circuit with the gadgets that nothing reads, and everything that the compiler believed on the way; for audits. */
export function lowerWithClaims(
  module: WasmModule,
  abi: AppletAbi,
  limits: CompilerLimits,
): { ir: Ir; claims: readonly Claim[] } {
  const log = new ClaimLog()
  const { ir } = lowerWhole(module, abi, limits, { claims: log })
  return { ir, claims: log.claims }
}

/** `pinned` items stay in the circuit whether used or not. */
function lowerWhole(
  module: WasmModule,
  abi: AppletAbi,
  limits: CompilerLimits,
  { claims, pure = false }: { claims?: ClaimLog; pure?: boolean } = {},
): { ir: Ir; pinned: number } {
  const instance = instantiate(module, limits)
  const circuit = new Circuit(limits, claims)
  const words = new Words(circuit)
  const inputs = declareInputs(circuit, abi)
  const inputCount = circuit.signalCount
  checkReading(words, abi.reading, inputs.reading)
  const pinned = circuit.items.length
  const state = initialState(instance)
  const records = writeRecords(words, state, abi, inputs)
  state.stack = abi.parameters.map((name) => constantLc(BigInt(RECORD_ADDRESS[name])))
  const executor = new Executor(words, module, instance.table)
  if (pure) circuit.effects = new Effects(module, abi, instance)
  const verify = module.exports.find(({ name, kind }) => name === 'verify' && kind === 'function')!
  const end = executor.call(verify.index, state)
  circuit.effects?.check()
  circuit.at = { functionName: 'the applet', offset: 0, instruction: 'outputs' }
  const outputs = gateOutputs(words, executor.finished(), end, abi.state, records, inputs)
  const ir: Ir = { inputs, inputCount, signalCount: circuit.signalCount, items: circuit.items, ...outputs }
  return { ir, pinned }
}

function declareInputs(circuit: Circuit, abi: AppletAbi): InputSignals {
  const field = ({ bits }: Field): number => circuit.signal(UNSIGNED(bits))
  const enabled = circuit.signal(UNSIGNED(1))
  return {
    enabled,
    reading: abi.reading.map(field),
    state: abi.state.map(field),
    config: abi.config.map(field),
    anchorTime: circuit.signal(UNSIGNED(ANCHOR_TIME_BITS)),
  }
}

/** Reading fields come from outside: each is range-checked whether or not the applet looks at it. */
function checkReading(words: Words, layout: Layout, signals: readonly number[]): void {
  layout.forEach(({ bits, name }, k) => {
    words.circuit.at = { functionName: 'reading', offset: 0, instruction: name }
    words.checkRange(signalLc(signals[k]!), bits)
  })
}

/** Writes the input signals into memory as the runner writes the values; returns State's words. */
function writeRecords(words: Words, state: State, abi: AppletAbi, inputs: InputSignals): Lc[] {
  const write = (record: keyof typeof RECORD_ADDRESS, layout: Layout, signals: readonly number[]): Lc[] =>
    layout.map((field, k) => {
      const value = fieldWord(words, field, signalLc(signals[k]!))
      state.memory.store(words, RECORD_ADDRESS[record] + field.offset, storageBits(field.type) / 8, value)
      return value
    })
  write('reading', abi.reading, inputs.reading)
  write('config', abi.config, inputs.config)
  if (abi.parameters.includes('context')) write('context', CONTEXT_LAYOUT, [inputs.anchorTime])
  return write('state', abi.state, inputs.state)
}

/** A raw field as the word in memory: narrowed signed fields are sign-extended. */
function fieldWord(words: Words, { type, bits }: Field, raw: Lc): Lc {
  return isSigned(type) && bits < storageBits(type) ? words.signed(raw, bits) : raw
}

function gateOutputs(
  words: Words,
  finished: Lc,
  end: State | undefined,
  layout: Layout,
  before: readonly Lc[],
  inputs: InputSignals,
): Pick<Ir, 'accepted' | 'units' | 'nextState'> {
  const raw = inputs.state.map(signalLc)
  if (end === undefined) return { accepted: ZERO, units: ZERO, nextState: raw }
  const { circuit } = words
  const live = new Live(words, end)
  const after = layout.map((field, k) => readField(live, field, raw[k]!, before[k]!))
  const overflow = after.map(({ outside }) => outside).filter((lc) => lc !== ZERO)
  const fits = overflow.length === 0 ? constantLc(1n) : circuit.isZero(sum(overflow))
  const accepted = circuit.mul(signalLc(inputs.enabled), circuit.mul(finished, fits))
  const units = circuit.mul(accepted, live.unsigned(end.stack.at(-1)!, 32))
  const nextState = after.map(({ value }, k) => add(raw[k]!, circuit.mul(accepted, subtract(value, raw[k]!))))
  return { accepted, units, nextState }
}

/** A State field after the call: its raw value, and something that is 0 exactly if the word fits the declared width. */
function readField(live: Live, field: Field, raw: Lc, before: Lc): { value: Lc; outside: Lc } {
  const { words, state } = live
  const width = storageBits(field.type)
  const word = state.memory.load(words, RECORD_ADDRESS.state + field.offset, width / 8)
  if (word.key === before.key) return { value: raw, outside: ZERO }
  if (!isSigned(field.type)) {
    const value = live.unsigned(word, width)
    return { value, outside: excess(live, value, field.bits) }
  }
  if (field.bits === width) return { value: live.unsigned(word, width), outside: ZERO }
  const value = live.signed(word, width)
  const half = 1n << BigInt(field.bits - 1)
  const negative = complement(live.isNonNegative(value))
  const outside = excess(live, addConstant(value, half), field.bits)
  return { value: addScaled(value, negative, 2n * half), outside }
}

/** 0 exactly if the integer lies in [0, 2^bits). */
function excess({ words, state }: Live, value: Lc, bits: number): Lc {
  const live = new Live(words, state)
  const above = live.isNonNegative(addConstant(value, -(1n << BigInt(bits))))
  const below = complement(live.isNonNegative(value))
  const outside = add(above, below)
  words.circuit.note(outside, proven(0n, 1n))
  return outside
}
