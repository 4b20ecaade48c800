/** AssemblyScript sources to WASM, with the options of asconfig.json, many in one process. */
import type { ChildProcess } from 'node:child_process'
import { fork } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { once } from 'node:events'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../../..')
const OPTIMISING = ['optimizeLevel', 'shrinkLevel', 'converge']

export type AscOptions = 'optimised' | 'unoptimised'

export class AscBatch {
  readonly #child: ChildProcess

  constructor() {
    this.#child = fork(join(import.meta.dirname, 'asc-child.mjs'), { cwd: ROOT, execArgv: [] })
  }

  /** One at a time. Throws with asc's diagnostics. */
  async compile(source: string, kind: AscOptions): Promise<Uint8Array> {
    const answered = once(this.#child, 'message')
    this.#child.send({ source, options: options(kind) })
    const [{ wasm, error }] = (await answered) as [{ wasm?: string; error?: string }]
    if (wasm === undefined) throw new Error(`asc refuses a generated source: ${error}\n${source}`)
    return new Uint8Array(Buffer.from(wasm, 'base64'))
  }

  close(): void {
    this.#child.kill()
  }
}

/** The project's options as arguments; without those that optimise for `unoptimised`. */
function options(kind: AscOptions): string[] {
  const config = JSON.parse(readFileSync(join(ROOT, 'asconfig.json'), 'utf8')) as { options: Record<string, unknown> }
  return Object.entries(config.options).flatMap(([name, value]) => {
    if (kind === 'unoptimised' && OPTIMISING.includes(name)) return []
    if (value === true) return [`--${name}`]
    return [`--${name}`, String(value)]
  })
}
