/**
 * Ties a prover's slots to the wires of the constraint system that circom made, by the names in circom's symbol file, and
 * tells whether a set of forced values is a forgery: all constraints hold, the inputs are the same, an output differs.
 */
import type { Item } from '../../../circuits/compiler/ir.ts'
import type { Lc } from '../../../circuits/compiler/lc.ts'
import { signalLc } from '../../../circuits/compiler/lc.ts'
import type { Overrides } from './prover.ts'
import { Prover, fieldValue } from './prover.ts'
import type { Subject } from './subjects.ts'
import type { System } from './system.ts'
import { inverse, modulo } from './system.ts'

const INPUT = /^(enabled|anchorTime|reading|state|config)\b/
const OUTPUT = /^(accepted|units|nextState)\b/

export interface Verdict {
  /** The first violated constraint, or −1: the circuit accepts these values. */
  readonly violated: number
  /** Names and values of the outputs that differ. */
  readonly forged: Readonly<Record<string, { honest: bigint; forged: bigint }>>
  readonly isForgery: boolean
  /** New values of the wires that differ from the honest ones. */
  readonly changed: ReadonlyMap<number, bigint>
  /** Values of all slots. */
  readonly slots: readonly bigint[]
}

export class Target {
  readonly subject: Subject
  readonly prover: Prover
  readonly inputs: readonly number[]
  readonly outputs: readonly number[]
  /** The wire's value in terms of slots; undefined for wire 0. */
  readonly #forms: readonly (Lc | undefined)[]
  readonly #wiresOf: number[][]
  constructor(subject: Subject) {
    this.subject = subject
    this.prover = new Prover(subject.compiled.ir)
    const namer = new Namer(this.prover, subject.labels)
    this.#forms = subject.names.map((name, wire) => (wire === 0 ? undefined : namer.form(name)))
    this.inputs = subject.names.flatMap((name, wire) => (INPUT.test(name) ? [wire] : []))
    this.outputs = subject.names.flatMap((name, wire) => (OUTPUT.test(name) ? [wire] : []))
    this.#wiresOf = Array.from({ length: this.prover.slotCount }, () => [])
    this.#forms.forEach((form, wire) => form?.signals.forEach((slot) => this.#wiresOf[slot]!.push(wire)))
  }

  /** The slot to force, and its value, for the wire to have `value` while the wire's other slots stay. */
  aim(wire: number, value: bigint, slots: readonly bigint[]): [number, bigint] | undefined {
    const form = this.#forms[wire]
    const slot = form?.signals.at(-1)
    if (form === undefined || slot === undefined || this.prover.itemOf(slot) < 0) return undefined
    const coefficient = form.coefficients.at(-1)!
    return [slot, modulo((value - fieldValue(form, slots)) * inverse(coefficient) + slots[slot]!)]
  }

  /** The slots that determine a wire. */
  slotsOf(wire: number): readonly number[] {
    return this.#forms[wire]?.signals ?? []
  }

  /** The values of all wires for the values of all slots. */
  wires(slots: readonly bigint[]): bigint[] {
    return this.#forms.map((form) => (form === undefined ? 1n : fieldValue(form, slots)))
  }

  /** `slots` and `wires` are an honest assignment; `wires` is changed and restored. `forcedWires` are set last. */
  judge(
    system: System,
    slots: readonly bigint[],
    wires: bigint[],
    overrides: Overrides,
    forcedWires: ReadonlyMap<number, bigint> = new Map(),
  ): Verdict {
    const changed = this.prover.resolve(slots, overrides)
    const values = [...slots]
    for (const [slot, value] of changed) values[slot] = value
    const next = new Map<number, bigint>()
    for (const slot of changed.keys())
      for (const wire of this.#wiresOf[slot]!)
        if (!next.has(wire)) next.set(wire, fieldValue(this.#forms[wire]!, values))
    for (const [wire, value] of forcedWires) next.set(wire, value)
    const before = new Map([...next.keys()].map((wire) => [wire, wires[wire]!]))
    for (const [wire, value] of next) wires[wire] = value
    for (const [wire, value] of before) if (next.get(wire) === value) next.delete(wire)
    const violated = system.violated(wires, next.keys())
    const forged = Object.fromEntries(
      this.outputs
        .filter((wire) => next.has(wire))
        .map((wire) => [this.subject.names[wire]!, { honest: before.get(wire)!, forged: next.get(wire)! }]),
    )
    const inputsKept = this.inputs.every((wire) => !next.has(wire))
    for (const [wire, value] of before) wires[wire] = value
    return {
      violated,
      forged,
      isForgery: violated === -1 && inputsKept && Object.keys(forged).length > 0,
      changed: next,
      slots: values,
    }
  }
}

/** Finds the slots behind circom's names. */
class Namer {
  readonly #prover: Prover
  readonly #byKind = new Map<Item['kind'], number[]>()
  /** Offsets in the source of the components of a template, in order: the n-th belongs to the n-th item of its kind. */
  readonly #offsets = new Map<string, number[]>()

  constructor(prover: Prover, labels: readonly string[]) {
    this.#prover = prover
    for (const kind of ['bits', 'mul', 'isZero', 'quotient'] as const) this.#byKind.set(kind, [])
    prover.ir.items.forEach(({ kind }, index) => this.#byKind.get(kind)!.push(index))
    for (const label of labels) this.#collect(/^(Num2Bits|IsZero|Quotient)_\d+_(\d+)\./.exec(label))
    for (const list of this.#offsets.values()) list.sort((a, b) => a - b)
  }

  #collect(match: RegExpExecArray | null): void {
    if (match === null) return
    const list = this.#offsets.get(match[1]!) ?? []
    if (!list.includes(Number(match[2]))) list.push(Number(match[2]))
    this.#offsets.set(match[1]!, list)
  }

  form(name: string): Lc {
    const { ir } = this.#prover
    const [, base, number, position] = /^(\w+?)(\d*)(?:\[(\d+)\])?$/.exec(name) ?? []
    const at = Number(position ?? 0)
    if (base === 'enabled' || base === 'anchorTime') return signalLc(ir.inputs[base])
    if (base === 'reading' || base === 'state' || base === 'config') return signalLc(ir.inputs[base][at]!)
    if (base === 'accepted' || base === 'units') return ir[base]
    if (base === 'nextState') return ir.nextState[at]!
    const kind = ({ b: 'bits', m: 'mul', z: 'isZero', q: 'quotient', r: 'quotient' } as const)[base ?? '']
    if (kind === undefined) return this.#inside(name)
    const item = ir.items[this.#byKind.get(kind)![Number(number)]!]!
    return signalLc(item.first + at + (base === 'r' && item.kind === 'quotient' ? item.quotientBits : 0))
  }

  /** A signal of a gadget's own. */
  #inside(name: string): Lc {
    const [, template, offset, rest] = /^(Num2Bits|IsZero|Quotient)_\d+_(\d+)\.(.*)$/.exec(name) ?? []
    const kind = ({ Num2Bits: 'bits', IsZero: 'isZero', Quotient: 'quotient' } as const)[template ?? '']
    if (kind === undefined) throw new Error(`no slot is known for the signal ${name}`)
    const index = this.#byKind.get(kind)![this.#offsets.get(template!)!.indexOf(Number(offset))]!
    const item = this.#prover.ir.items[index]!
    const extra = this.#prover.extra[index]!
    const [, signal, position] = /(\w+)(?:\[(\d+)\])?$/.exec(rest!)!
    const at = Number(position ?? 0)
    if (item.kind === 'isZero') return signal === 'in' ? item.of : signalLc(signal === 'inv' ? extra : item.first)
    if (item.kind === 'bits') return signal === 'in' ? item.of : signalLc(item.first + at)
    if (item.kind !== 'quotient' || rest!.includes('.')) throw new Error(`no slot is known for the signal ${name}`)
    if (signal === 'dividend' || signal === 'divisor') return item[signal]
    if (signal === 'q' || signal === 'r') return signalLc(item.first + at + (signal === 'r' ? item.quotientBits : 0))
    return signalLc(extra + { quotient: 0, remainder: 1, gap: 2 + at }[signal!]!)
  }
}
