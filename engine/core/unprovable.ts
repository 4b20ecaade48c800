/**
 * What an applet cannot contain, and what to write instead: the sandbox and the circuit compiler refuse it in the same words.
 * A problem reads on after "applets/mine.ts:14:11: "; advice is whole sentences.
 */

export interface Unprovable {
  readonly problem: string
  readonly advice: string
}

export const FLOATS: Unprovable = {
  problem: 'floating point cannot be proven',
  advice:
    'Its rounding differs between machines, and a circuit counts in integers. Use fixed point (applets/lib/fixed16.ts, fixed32.ts) or a ' +
    'smaller unit: `millivolts * 3 / 2` in place of `volts * 1.5`.',
}

export const MEMORY_GROWTH: Unprovable = {
  problem: 'memory cannot grow, and what this takes is not known before the reading is',
  advice:
    'A circuit has a fixed size. Make a `StaticArray` of constant length, outside of branches and loops, and count how much ' +
    'of it is used.',
}

const NO_CLOCK: Unprovable = {
  problem: 'an applet has no clock: whoever checks the proof could not ask the same one',
  advice:
    'Take `context: Context` (applets/lib/record.ts) as a parameter of verify: `context.anchorTimeSec` is the time of the block ' +
    'that anchored the batch. Let the device put its own time into the Reading.',
}

const NO_RANDOMNESS: Unprovable = {
  problem: 'an applet has no randomness: the same reading must always give the same units',
  advice: 'Let the device put a random number into the Reading, where its signature covers it.',
}

const NO_OUTPUT: Unprovable = {
  problem: 'an applet cannot print: it sees its records and nothing else',
  advice:
    'Remove it. `npm run attestream -- applet run` shows the units of each reading, the State, and why a reading was rejected.',
}

/** An import by the names that asc gives it. */
export function unprovableImport(module: string, field: string): Unprovable {
  if (/Date|performance/.test(field)) return NO_CLOCK
  if (/seed|random|crypto/i.test(field)) return NO_RANDOMNESS
  if (/console|trace/.test(field)) return NO_OUTPUT
  return {
    problem: `${module}.${field} is imported, and an applet sees its records and nothing else`,
    advice: 'Write the function in the applet, or pass its result in the Reading or the Config.',
  }
}

/** An instruction outside of the integer part of WebAssembly. */
export function unprovableInstruction(name: string): Unprovable {
  if (/f32|f64/.test(name)) return FLOATS
  if (name === 'memory.grow') return MEMORY_GROWTH
  return {
    problem: `${name} cannot be proven`,
    advice: 'Use integers, arrays of constant length, and the options of asconfig.json.',
  }
}
