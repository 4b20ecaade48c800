// Compiles every hostile module in turn and sends what came of it; hostile.test.ts starts it with a ceiling of memory.
import { isAttestreamError } from '../../../engine/core/errors.ts'
import { compileApplet } from '../../../circuits/compiler/index.ts'
import { HARMLESS, MALFORMED, SPACE, TIME } from './hostile-modules.ts'

export interface HostileResult {
  name: string
  /** `compiled`, the code of the error, or what was thrown. */
  outcome: string
  /** Of the processor, so that a busy machine does not count. */
  timeMs: number
  /** Largest so far in this process. */
  peakMegabytes: number
}

for (const [name, build] of Object.entries({ ...MALFORMED, ...HARMLESS, ...SPACE, ...TIME })) {
  const wasm = build()
  const start = process.cpuUsage()
  const outcome = outcomeOf(wasm)
  const { user, system } = process.cpuUsage(start)
  const timeMs = Math.round((user + system) / 1000)
  const peakMegabytes = Math.round(process.resourceUsage().maxRSS / 1024)
  process.send?.({ name, outcome, timeMs, peakMegabytes } satisfies HostileResult)
}
process.disconnect?.()

function outcomeOf(wasm: Uint8Array): string {
  try {
    compileApplet(wasm)
    return 'compiled'
  } catch (error) {
    return isAttestreamError(error) ? (error as unknown as { code: string }).code : String((error as Error).stack)
  }
}
