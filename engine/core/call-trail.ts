/** Where in a module something is, and the calls that lead there from an export: what the details of a refusal say. */
import { describeFunction, type Instruction, type WasmModule } from './wasm.ts'

/** A step on the way to a place, from the outside in: the offset of a `call` or `loop` instruction in the file. */
export interface TrailStep {
  readonly kind: 'call' | 'loop'
  readonly offset: number
}

export interface Site {
  readonly function: string
  readonly offset: number
  readonly instruction: string
  readonly trail: readonly TrailStep[]
}

const CALL = 0x10
/** Steps of a trail nearest to the place; a hostile module's chain of calls may be as long as its list of functions. */
const TRAIL_STEPS_MAX = 32

/** An instruction of a function, with a shortest chain of direct calls that leads there from an export. */
export function siteOf(module: WasmModule, index: number, { offset, name }: Instruction): Site {
  return { function: describeFunction(module, index), offset, instruction: name, trail: trailTo(module, index) }
}

/** The first call of a function, and how one gets there; undefined if nobody calls it. */
export function findCall(module: WasmModule, callee: number): Site | undefined {
  for (const { index, instructions } of module.functions) {
    const instruction = instructions.find((candidate) => candidate.opcode === CALL && candidate.index === callee)
    if (instruction) return siteOf(module, index, instruction)
  }
  return undefined
}

function trailTo(module: WasmModule, index: number): TrailStep[] {
  const callers = firstCallers(module)
  const trail: TrailStep[] = []
  let call = callers.get(index)
  while (call !== undefined && trail.length < TRAIL_STEPS_MAX) {
    trail.unshift({ kind: 'call', offset: call.offset })
    call = callers.get(call.caller)
  }
  return trail
}

/** By breadth first search from the exports and the start function: who calls a function first; undefined for where it begins. */
function firstCallers(module: WasmModule): Map<number, { caller: number; offset: number } | undefined> {
  const roots = module.exports.filter(({ kind }) => kind === 'function').map((entry) => entry.index)
  if (module.start !== undefined) roots.push(module.start)
  const callers = new Map<number, { caller: number; offset: number } | undefined>(
    roots.map((root) => [root, undefined]),
  )
  for (const caller of callers.keys()) {
    for (const { opcode, index, offset } of module.functions[caller - module.importedFunctions]?.instructions ?? []) {
      if (opcode === CALL && !callers.has(index)) callers.set(index, { caller, offset })
    }
  }
  return callers
}
