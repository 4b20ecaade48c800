// Gives every hostile module to the sandbox and to the compiler in turn and sends what came of it; hostile.test.ts starts it with a ceiling of memory.
import { isAttestreamError } from '../../../engine/core/errors.ts'
import { compileApplet } from '../../../circuits/compiler/index.ts'
import { instrument } from '../../../engine/runner/sandbox.ts'
import { HARMLESS, MALFORMED, SPACE, TIME } from './hostile-modules.ts'

export interface HostileResult {
  name: string
  /** Of sandbox and compiler: `accepted`, the code of the error, or what was thrown. */
  outcome: string
  /** Of the processor, so that a busy machine does not count. */
  timeMs: number
  /** Largest so far in this process. */
  peakMegabytes: number
}

for (const [name, build] of Object.entries({ ...MALFORMED, ...HARMLESS, ...SPACE, ...TIME })) {
  const wasm = build()
  const start = process.cpuUsage()
  const outcome = [sandboxOutcome(wasm), compilerOutcome(wasm)].join(' ')
  const { user, system } = process.cpuUsage(start)
  const timeMs = Math.round((user + system) / 1000)
  const peakMegabytes = Math.round(process.resourceUsage().maxRSS / 1024)
  process.send?.({ name, outcome, timeMs, peakMegabytes } satisfies HostileResult)
}
process.disconnect?.()

function sandboxOutcome(wasm: Uint8Array): string {
  return outcomeOf(() => instrument(wasm))
}

function compilerOutcome(wasm: Uint8Array): string {
  return outcomeOf(() => compileApplet(wasm))
}

function outcomeOf(run: () => unknown): string {
  try {
    run()
    return 'accepted'
  } catch (error) {
    return isAttestreamError(error) ? (error as unknown as { code: string }).code : String((error as Error).stack)
  }
}
