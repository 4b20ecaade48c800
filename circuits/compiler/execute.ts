/**
 * Predicated symbolic execution of WebAssembly functions. A branch on a symbolic condition splits the state into two
 * with exclusive predicates; at the end of a block, loop or function the states that arrive are merged. A trap only
 * adds the path's predicate to `trapped`. Loops are followed until no path goes back.
 */
import { instructionFuel } from '../../engine/core/applet.ts'
import type { FunctionType, Instruction, WasmFunction, WasmModule } from '../../engine/core/wasm.ts'
import { describeFunction } from '../../engine/core/wasm.ts'
import type { TrailStep } from '../../engine/core/call-trail.ts'
import { unprovableInstruction } from '../../engine/core/unprovable.ts'
import { effectiveAddress, isReachable, loadWord, outOfBounds, storeWord } from './access.ts'
import { copyMemory, fillMemory } from './bulk.ts'
import { branchTable } from './branch-table.ts'
import type { Circuit } from './circuit.ts'
import { divide, dividesByZero, isDivision, quotientOverflows } from './division.ts'
import { UNSIGNED } from './interval.ts'
import type { Lc } from './lc.ts'
import { ONE, ZERO, complement, constantLc, subtract, sum } from './lc.ts'
import { Live } from './live.ts'
import { BINARY, UNARY } from './numeric.ts'
import type { Location } from './ir.ts'
import { refuse } from './refusal.ts'
import type { State } from './state.ts'
import { assume, mergeStates, rangeOn } from './state.ts'
import type { Words } from './words.ts'

const MAX_NESTING = 400
/** Of all functions on the way to a place: a native stack holds them too. */
const MAX_LIVE_LOCALS = 10_000

interface Label {
  isLoop: boolean
  arity: number
  height: number
  pending: State[]
  /** Predicates of the paths that branched out of the block to an outer label. */
  left: Lc[]
}

interface Frame {
  fn: WasmFunction
  labels: Label[]
  ends: Ends
}

/** For each block, loop, if: where its else (if any) and its end are. */
type Ends = ReadonlyMap<number, { otherwise: number | undefined; end: number }>

export class Executor {
  readonly words: Words
  readonly circuit: Circuit
  readonly module: WasmModule
  /**
   * Predicates of the paths that trapped. A path that goes on keeps its predicate, trap or not: what it computes after a
   * trap is as meaningless as what it computes on paths not taken, and `finished` masks it.
   */
  readonly #traps: Lc[] = []
  readonly #calls: number[] = []
  #liveLocals = 0
  readonly #ends = new Map<number, Ends>()
  readonly #table: readonly (number | undefined)[]
  #trail: readonly TrailStep[] = []
  #nesting = 0

  constructor(words: Words, module: WasmModule, table: readonly (number | undefined)[]) {
    this.words = words
    this.circuit = words.circuit
    this.module = module
    this.#table = table
  }

  /** 1 if nothing trapped. */
  finished(): Lc {
    const { circuit } = this
    if (this.#traps.length === 2) return circuit.mul(complement(this.#traps[0]!), complement(this.#traps[1]!))
    return circuit.isZero(circuit.check(sum(this.#traps)))
  }

  /** Calls a function with its arguments on top of the stack; leaves its results there. Undefined if every path traps. */
  call(index: number, state: State): State | undefined {
    const fn = this.module.functions[index - this.module.importedFunctions]
    if (fn === undefined)
      throw refuse(this.circuit.at, 'an imported function is called', 'An applet sees its records and nothing else.')
    if (this.#calls.includes(index) || this.#calls.length >= this.circuit.limits.callDepth) {
      throw refuse(
        this.circuit.at,
        `this call of ${describeFunction(this.module, index)} recurses: a circuit has no stack`,
        'Write a loop with a constant bound: `for (let i = 0; i < 32; i++) { if (<done>) break; … }`.',
      )
    }
    const height = state.stack.length - fn.type.parameters.length
    const { locals } = state
    const below = state.stack.slice(0, height)
    state.locals = [...state.stack.slice(height), ...fn.locals.map(() => ZERO)]
    state.stack = []
    this.circuit.charge(state.locals.length + height)
    this.#calls.push(index)
    this.#liveLocals += state.locals.length
    if (this.#liveLocals > MAX_LIVE_LOCALS)
      throw refuse(this.circuit.at, `the calls around this one have ${this.#liveLocals} local variables`, 'Use fewer.')
    const result = this.#body(fn, state)
    this.#liveLocals -= fn.type.parameters.length + fn.locals.length
    this.#calls.pop()
    if (result === undefined) return undefined
    result.stack = [...below, ...result.stack]
    result.locals = [...locals]
    return result
  }

  #body(fn: WasmFunction, state: State): State | undefined {
    const { predicate } = state
    const label: Label = { isLoop: false, arity: fn.type.results.length, height: 0, pending: [], left: [] }
    const frame: Frame = { fn, labels: [label], ends: this.#endsOf(fn) }
    this.#arrive(label, this.#run(frame, 0, state))
    return this.#leave(label, predicate, mergeStates(this.words, label.pending))
  }

  /** The only state that leaves a block: its predicate is that of the state that entered, without paths that branched out. */
  #leave(label: Label, entered: Lc, state: State | undefined): State | undefined {
    if (state === undefined) return undefined
    state.predicate = label.left.length === 0 ? entered : subtract(entered, sum(label.left))
    this.circuit.note(state.predicate, UNSIGNED(1))
    return state
  }

  #endsOf(fn: WasmFunction): Ends {
    const known = this.#ends.get(fn.index) ?? matchEnds(fn.instructions)
    this.#ends.set(fn.index, known)
    return known
  }

  #arrive(label: Label, state: State | undefined): void {
    if (state === undefined) return
    const { stack } = state
    if (stack.length > label.height + label.arity) {
      this.circuit.charge(label.height)
      state.stack = [...stack.slice(0, label.height), ...stack.slice(stack.length - label.arity)]
    }
    label.pending.push(state)
  }

  /** Follows instructions up to the end or else of the block that contains `pc`; undefined when no path gets there. */
  #run(frame: Frame, pc: number, start: State): State | undefined {
    let state: State | undefined = start
    for (let at = pc; state !== undefined; at++) {
      const instruction = frame.fn.instructions[at]!
      const { opcode } = instruction
      if (opcode === 0x0b || opcode === 0x05) return state
      this.#locate(frame.fn, instruction)
      if (opcode >= 0x02 && opcode <= 0x04) {
        state = this.#block(frame, at, instruction, state)
        at = frame.ends.get(at)!.end
      } else state = this.#step(frame, instruction, state)
    }
    return undefined
  }

  #locate(fn: WasmFunction, { offset, name }: Instruction): void {
    const functionName = describeFunction(this.module, fn.index)
    this.circuit.at = { functionName, offset, instruction: name, trail: this.#trail }
    this.circuit.follow(instructionFuel(name))
  }

  #block(frame: Frame, at: number, instruction: Instruction, state: State): State | undefined {
    if (++this.#nesting > MAX_NESTING)
      throw refuse(this.circuit.at, 'blocks and calls are nested too deeply', 'Write flatter code.')
    const { parameters, results } = instruction.block!
    const condition = instruction.opcode === 0x04 ? new Live(this.words, state).truth(state.stack.pop()!) : ONE
    const height = state.stack.length - parameters.length
    const { predicate } = state
    let result: State | undefined
    if (instruction.opcode === 0x03) result = this.#loop(frame, at, state, parameters.length, height)
    else {
      const label: Label = { isLoop: false, arity: results.length, height, pending: [], left: [] }
      frame.labels.push(label)
      if (instruction.opcode === 0x02) this.#arrive(label, this.#run(frame, at + 1, state))
      else this.#branches(frame, at, state, condition, label)
      frame.labels.pop()
      result = this.#leave(label, predicate, mergeStates(this.words, label.pending))
    }
    this.#nesting--
    return result
  }

  #branches(frame: Frame, at: number, state: State, condition: Lc, label: Label): void {
    const { otherwise } = frame.ends.get(at)!
    const [taken, skipped] = this.#fork(state, condition)
    if (taken !== undefined) this.#arrive(label, this.#run(frame, at + 1, taken))
    if (skipped !== undefined)
      this.#arrive(label, otherwise === undefined ? skipped : this.#run(frame, otherwise + 1, skipped))
  }

  /** The states with the condition 1 and 0. */
  #fork(state: State, condition: Lc): [State | undefined, State | undefined] {
    if (condition.isConstant) return condition.constant === 1n ? [state, undefined] : [undefined, state]
    const taken = assume(this.circuit, state, condition, true)
    const skipped = assume(this.circuit, state, condition, false)
    return [taken, skipped]
  }

  #loop(frame: Frame, at: number, state: State, arity: number, height: number): State | undefined {
    const start = this.circuit.at
    const around = this.#trail
    this.#trail = [...around, { kind: 'loop', offset: start.offset }]
    const exits: State[] = []
    let current: State | undefined = state
    for (let iteration = 0; current !== undefined; iteration++) {
      if (iteration >= this.circuit.limits.loopIterations) {
        throw endless(start, this.circuit.limits.loopIterations, current.predicate.key === state.predicate.key)
      }
      const label: Label = { isLoop: true, arity, height, pending: [], left: [] }
      const { predicate }: State = current
      frame.labels.push(label)
      const exit = this.#run(frame, at + 1, current)
      frame.labels.pop()
      current = mergeStates(this.words, label.pending)
      if (exit === undefined) this.#leave(label, predicate, current)
      else exits.push(current === undefined ? this.#leave(label, predicate, exit)! : exit)
    }
    this.#trail = around
    return mergeStates(this.words, exits)
  }

  #branch(frame: Frame, depth: number, state: State): undefined {
    const target = frame.labels.length - 1 - depth
    for (const label of frame.labels.slice(target + 1)) label.left.push(state.predicate)
    this.circuit.charge(depth)
    this.#arrive(frame.labels[target]!, state)
    return undefined
  }

  /** The state with what is known where `bit` is 0; where it is 1, the path traps. */
  trapIf(state: State, bit: Lc): State | undefined {
    const { predicate } = state
    const [traps, goesOn] = this.#fork(state, bit)
    if (traps !== undefined) {
      this.#traps.push(traps.predicate)
      this.circuit.claims?.trap(traps.predicate)
    }
    if (goesOn !== undefined) goesOn.predicate = predicate
    return goesOn
  }

  #step(frame: Frame, instruction: Instruction, state: State): State | undefined {
    const { opcode, index, name, value } = instruction
    const { stack } = state
    switch (opcode) {
      case 0x00:
        return this.trapIf(state, ONE)
      case 0x01:
        return state
      case 0x0c:
        return this.#branch(frame, index, state)
      case 0x0d: {
        const condition = new Live(this.words, state).truth(stack.pop()!)
        const [taken, skipped] = this.#fork(state, condition)
        if (taken !== undefined) this.#branch(frame, index, taken)
        return skipped
      }
      case 0x0e: {
        for (const [depth, taken] of branchTable(this.words, state, instruction.targets))
          this.#branch(frame, depth, taken)
        return undefined
      }
      case 0x0f:
        return this.#branch(frame, frame.labels.length - 1, state)
      case 0x10:
        return this.#nested(() => this.call(index, state))
      case 0x11:
        return this.#callIndirect(instruction, state)
      case 0x1a:
        stack.pop()
        return state
      case 0x1b:
      case 0x1c: {
        const condition = new Live(this.words, state).truth(stack.pop()!)
        const otherwise = stack.pop()!
        stack.push(this.circuit.select(condition, stack.pop()!, otherwise))
        return state
      }
      case 0x20:
        stack.push(state.locals[index]!)
        return state
      case 0x21:
        state.locals[index] = stack.pop()!
        return state
      case 0x22:
        state.locals[index] = stack.at(-1)!
        return state
      case 0x23:
        this.circuit.effects?.readGlobal(index, state.globals[index]!)
        stack.push(state.globals[index]!)
        return state
      case 0x24:
        this.circuit.effects?.wroteGlobal(index, stack.at(-1)!, this.circuit.at)
        state.globals[index] = stack.pop()!
        return state
      case 0x3f:
        stack.push(constantLc(BigInt(state.memory.image.length / 65536)))
        return state
      case 0x41:
      case 0x42:
        stack.push(constantLc(value))
        return state
      case 0xfc000a:
        return copyMemory(this, state)
      case 0xfc000b:
        return fillMemory(this, state)
    }
    if (opcode >= 0x28 && opcode <= 0x3e && !name.startsWith('f')) return this.#access(instruction, state)
    return this.#numeric(instruction, state)
  }

  #nested(run: () => State | undefined): State | undefined {
    const { at } = this.circuit
    const around = this.#trail
    this.#trail = [...around, { kind: 'call', offset: at.offset }]
    const result = run()
    this.#trail = around
    this.circuit.at = at
    return result
  }

  #callIndirect({ index, second }: Instruction, state: State): State | undefined {
    const element = rangeOn(this.circuit, state, new Live(this.words, state).unsigned(state.stack.pop()!, 32))
    if (element.lo !== element.hi) {
      throw refuse(
        this.circuit.at,
        'which function is called depends on data',
        'Call functions by their names, and choose between them with `if` or `switch`.',
      )
    }
    const callee = second === 0 ? this.#table[Number(element.lo)] : undefined
    if (callee === undefined) return this.trapIf(state, ONE)
    const actual = this.module.functions[callee - this.module.importedFunctions]?.type
    if (actual === undefined || !sameType(actual, this.module.types[index]!)) return this.trapIf(state, ONE)
    return this.#nested(() => this.call(callee, state))
  }

  #access({ name, second }: Instruction, state: State): State | undefined {
    const [type, operation] = name.split('.') as [string, string]
    const width = type === 'i32' ? 32 : 64
    const [, kind, narrow, sign] = /^(load|store)(\d*)(?:_([su]))?$/.exec(operation)!
    const bits = narrow === '' ? width : Number(narrow)
    const value = kind === 'store' ? state.stack.pop()! : ZERO
    const address = effectiveAddress(this.words, state, state.stack.pop()!, second)
    const inside = this.trapIf(state, outOfBounds(this.words, state, address, bits / 8))
    if (inside === undefined || !isReachable(this.words, inside, address)) return undefined
    if (kind === 'store') storeWord(this.words, inside, address, bits / 8, value)
    else {
      const word = loadWord(this.words, inside, address, bits / 8)
      const live = new Live(this.words, inside)
      inside.stack.push(bits === width ? word : sign === 's' ? live.signed(word, bits) : live.unsigned(word, bits))
    }
    return inside
  }

  #numeric({ name }: Instruction, state: State): State | undefined {
    const [type, operation] = name.split('.') as [string, string | undefined]
    const unary = UNARY[operation ?? '']
    const binary = BINARY[operation ?? '']
    const isInteger = type === 'i32' || type === 'i64'
    if (!isInteger || operation === undefined || (!unary && !binary && !isDivision(operation)))
      throw unsupported(this.circuit)
    const width = type === 'i32' ? 32 : 64
    for (const { signals } of state.stack.slice(unary ? -1 : -2)) this.circuit.charge(signals.length)
    const live = new Live(this.words, state)
    if (unary) {
      state.stack.push(unary(live, state.stack.pop()!, width))
      return state
    }
    const b = state.stack.pop()!
    const a = state.stack.pop()!
    if (binary) {
      state.stack.push(binary(live, a, b, width))
      return state
    }
    return isDivision(operation) ? this.#divide(operation, state, a, b, width) : undefined
  }

  #divide(name: Parameters<typeof divide>[1], state: State, a: Lc, b: Lc, width: number): State | undefined {
    const divisible = this.trapIf(state, dividesByZero(new Live(this.words, state), b, width))
    if (divisible === undefined) return undefined
    const fits = this.trapIf(divisible, quotientOverflows(new Live(this.words, divisible), name, a, b, width))
    fits?.stack.push(divide(new Live(this.words, fits), name, a, b, width))
    return fits
  }
}

function matchEnds(instructions: readonly Instruction[]): Ends {
  const ends = new Map<number, { otherwise: number | undefined; end: number }>()
  const open: { start: number; otherwise: number | undefined }[] = []
  instructions.forEach(({ opcode }, at) => {
    if (opcode >= 0x02 && opcode <= 0x04) open.push({ start: at, otherwise: undefined })
    else if (opcode === 0x05) open.at(-1)!.otherwise = at
    else if (opcode === 0x0b) {
      const block = open.pop()
      if (block) ends.set(block.start, { otherwise: block.otherwise, end: at })
    }
  })
  return ends
}

function sameType(a: FunctionType, b: FunctionType): boolean {
  return a.parameters.join() === b.parameters.join() && a.results.join() === b.results.join()
}

function unsupported({ at }: Circuit): Error {
  const { problem, advice } = unprovableInstruction(at.instruction)
  return refuse(at, problem, advice)
}

function endless(at: Location, most: number, always: boolean): Error {
  const problem = always
    ? `this loop runs more than ${most} times`
    : `this loop may run without end: after ${most} turns it still depends on data whether it goes on`
  const advice =
    'A circuit has a fixed size and contains every turn. Write a constant bound and leave earlier: ' +
    '`for (let i = 0; i < 32; i++) { if (<done>) break; … }`.'
  return refuse(at, problem, advice)
}
