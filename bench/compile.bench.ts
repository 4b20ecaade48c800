// `npm run bench:compile`: how long the compiler takes from WASM to circom text, for each applet and reference program.
// asc and circom are not in it. Warm: the first compilation of each does not count; median of the next three.

import { readdirSync } from 'node:fs'
import { loadavg } from 'node:os'
import { basename, join } from 'node:path'
import { buildApplet } from '../applets/build.ts'
import { compileApplet } from '../circuits/compiler/index.ts'

const ROOT = join(import.meta.dirname, '..')
/** In applets/ besides the applets. */
const TOOLS = new Set(['build.ts', 'source-lines.ts', 'explain-refusal.ts'])
const PROMISED_MS = 250
const RUNS = 3

function sources(directory: string): string[] {
  const names = readdirSync(join(ROOT, directory)).filter((name) => name.endsWith('.ts') && !TOOLS.has(name))
  return names.sort().map((name) => join(ROOT, directory, name))
}

async function row(source: string): Promise<string> {
  const wasm = await buildApplet(source)
  const { constraints } = compileApplet(wasm).stats
  const timesMs = Array.from({ length: RUNS }, () => {
    const start = performance.now()
    compileApplet(wasm)
    return performance.now() - start
  })
  const medianMs = timesMs.sort((a, b) => a - b)[Math.floor(RUNS / 2)]!
  const mark = medianMs > PROMISED_MS ? ` above ${PROMISED_MS}` : ''
  return `| ${basename(source, '.ts')} | ${constraints.toLocaleString('en')} | ${Math.round(medianMs)}${mark} |`
}

console.log('| applet | constraints | ms |\n|---|---:|---:|')
for (const source of [...sources('applets'), ...sources('bench/reference')]) console.log(await row(source))
console.log(`\nLoad average at the end: ${loadavg()[0]!.toFixed(1)}`)
