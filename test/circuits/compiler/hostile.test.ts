// Measures every hostile module in one child process whose memory has a ceiling.
import { fork } from 'node:child_process'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import type { HostileResult } from './hostile-child.ts'
import { HARMLESS, MALFORMED, SPACE, TIME } from './hostile-modules.ts'

const LIMIT_MS = 5000
const LIMIT_MEGABYTES = 512
const results = new Map<string, HostileResult>()

beforeAll(async () => {
  const child = fork(join(import.meta.dirname, 'hostile-child.ts'), {
    execArgv: ['--import', 'tsx', `--max-old-space-size=${LIMIT_MEGABYTES - 128}`],
  })
  child.on('message', (result: HostileResult) => results.set(result.name, result))
  await new Promise((resolve) => child.once('exit', resolve))
  const slowest = [...results.values()].sort((a, b) => b.timeMs - a.timeMs)
  const peak = Math.max(...slowest.map(({ peakMegabytes }) => peakMegabytes))
  console.log(
    `${results.size} hostile modules, peak ${peak} MB; slowest: ` +
      slowest
        .slice(0, 5)
        .map(({ name, timeMs }) => `${name} ${timeMs} ms`)
        .join(', '),
  )
})

const EXPECTED: [Readonly<Record<string, unknown>>, RegExp][] = [
  [MALFORMED, /^(accepted|[A-Z_]+) (WASM_MALFORMED|APPLET_ABI_MISSING)$/],
  [HARMLESS, /^accepted accepted$/],
  [SPACE, /^(accepted|[A-Z_]+) (WASM_MALFORMED|APPLET_UNSUPPORTED)$/],
  [TIME, /^(accepted|[A-Z_]+) APPLET_UNSUPPORTED$/],
]

describe('a hostile module', () => {
  for (const [modules, outcome] of EXPECTED) {
    for (const name of Object.keys(modules)) {
      it(`A-18 with ${name} ends as ${outcome.source} within ${LIMIT_MS} ms and ${LIMIT_MEGABYTES} MB`, () => {
        const result = results.get(name)
        expect(result?.outcome).toMatch(outcome)
        expect(result?.timeMs).toBeLessThan(LIMIT_MS)
        expect(result?.peakMegabytes).toBeLessThan(LIMIT_MEGABYTES)
      })
    }
  }
})
