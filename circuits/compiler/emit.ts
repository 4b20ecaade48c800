/**
 * The readable back-end: an IR as circom source, `template Applet()` with the interface of docs/architecture.md §4.
 * Signals are named by gadget and number; a comment names the WASM instruction that each block comes from.
 */
import type { AppletAbi } from '../../engine/core/applet.ts'
import type { Ir, Item, Location } from './ir.ts'
import type { Lc } from './lc.ts'

/** Source of the template after the header (pragma, includes, comments). Gadgets in names: b bits, m products, z zero tests, q and r quotients. */
export function emitCircom(ir: Ir, abi: AppletAbi, header: string): string {
  const names = nameSignals(ir, abi)
  const lines = [header, '', 'template Applet() {', ...inputLines(abi)]
  let last: Location | undefined
  for (const item of ir.items) {
    if (last === undefined || !sameBlock(last, item.at)) lines.push('', `    // ${describe(item.at)}`)
    last = item.at
    lines.push(`    ${emitItem(item, names)}`)
  }
  lines.push('', '    // outputs', ...outputLines(ir, names), '}', '')
  return lines.join('\n')
}

function inputLines(abi: AppletAbi): string[] {
  const lines = ['    signal input enabled;']
  for (const name of ['reading', 'state', 'config'] as const) {
    if (abi[name].length > 0)
      lines.push(`    signal input ${name}[${abi[name].length}]; // ${abi[name].map((f) => f.name).join(' ')}`)
  }
  lines.push('    signal input anchorTime;', '    signal output accepted;', '    signal output units;')
  if (abi.state.length > 0) lines.push(`    signal output nextState[${abi.state.length}];`)
  return lines
}

function outputLines(ir: Ir, names: readonly string[]): string[] {
  return [
    `    accepted <== ${emitLc(ir.accepted, names)};`,
    `    units <== ${emitLc(ir.units, names)};`,
    ...ir.nextState.map((lc, k) => `    nextState[${k}] <== ${emitLc(lc, names)};`),
  ]
}

function nameSignals(ir: Ir, abi: AppletAbi): string[] {
  const names: string[] = new Array<string>(ir.signalCount)
  names[ir.inputs.enabled] = 'enabled'
  names[ir.inputs.anchorTime] = 'anchorTime'
  for (const record of ['reading', 'state', 'config'] as const) {
    ir.inputs[record].forEach((signal, k) => (names[signal] = `${record}[${k}]`))
    if (ir.inputs[record].length !== abi[record].length) throw new RangeError(`${record} differs from the ABI`)
  }
  const counters = { bits: 0, mul: 0, isZero: 0, quotient: 0 }
  for (const item of ir.items) {
    const number = counters[item.kind]++
    for (let j = 0; j < item.count; j++) names[item.first + j] = outputName(item, number, j)
  }
  return names
}

function outputName(item: Item, number: number, position: number): string {
  if (item.kind === 'bits') return `b${number}[${position}]`
  if (item.kind === 'mul') return `m${number}`
  if (item.kind === 'isZero') return `z${number}`
  if (position < item.quotientBits) return `q${number}[${position}]`
  return `r${number}[${position - item.quotientBits}]`
}

function emitItem(item: Item, names: readonly string[]): string {
  const first = names[item.first]!
  const base = first.replace(/\[.*/, '')
  if (item.kind === 'mul') return `signal ${first} <== (${emitLc(item.left, names)}) * (${emitLc(item.right, names)});`
  if (item.kind === 'isZero') return `signal ${first} <== IsZero()(${emitLc(item.of, names)});`
  if (item.kind === 'bits')
    return `signal ${base}[${item.count}] <== Num2Bits(${item.count})(${emitLc(item.of, names)});`
  const { quotientBits: q, remainderBits: r, gapBits } = item
  const remainder = base.replace('q', 'r')
  const operands = `${emitLc(item.dividend, names)}, ${emitLc(item.divisor, names)}`
  return `signal ${base}[${q}], ${remainder}[${r}]; (${base}, ${remainder}) <== Quotient(${q}, ${r}, ${gapBits})(${operands});`
}

function emitLc(lc: Lc, names: readonly string[]): string {
  const parts = lc.signals.map((signal, k) => {
    const coefficient = lc.coefficients[k]!
    const size = coefficient < 0n ? -coefficient : coefficient
    const term = size === 1n ? names[signal]! : `${size} * ${names[signal]!}`
    return coefficient < 0n ? `- ${term}` : k === 0 ? term : `+ ${term}`
  })
  if (lc.constant !== 0n || parts.length === 0) {
    const size = lc.constant < 0n ? -lc.constant : lc.constant
    parts.push(lc.constant < 0n ? `- ${size}` : parts.length === 0 ? `${size}` : `+ ${size}`)
  }
  return parts.join(' ')
}

function sameBlock(a: Location, b: Location): boolean {
  return a.functionName === b.functionName && a.offset === b.offset && a.instruction === b.instruction
}

function describe({ functionName, offset, instruction }: Location): string {
  const clean = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?')
  return `${clean(functionName)}${offset === 0 ? '' : ` 0x${offset.toString(16)}`} ${clean(instruction)}`
}
