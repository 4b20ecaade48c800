// `npm run bench:keys`: processor time and peak memory of making a development key, the kernel compiled before, for synthetic circuits
// (synthetic-circuit.ts) with as many rows as the demo's and just below 2^17. `npm run bench:keys -- 60000` takes other sizes. Each
// size has a process of its own, so that its peak memory is its own.

import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createDevelopmentKey } from '../circuits/setup/development-key.ts'
import { loadKernel } from '../engine/prover/wasm/compile.ts'
import { cpuMs, describeMachine } from './machine.ts'
import { writeSyntheticCircuit } from './synthetic-circuit.ts'

const SIZES = ['25860', '131000']
const CACHE = fileURLToPath(new URL('../build/bench-keys/', import.meta.url))
const MAKE = '--make'

async function main(sizes: readonly string[]): Promise<void> {
  console.log(describeMachine())
  await loadKernel(CACHE)
  for (const size of sizes) {
    writeSyntheticCircuit(Number(size), file(size, 'r1cs'), file(size, 'wtns'))
    const command = [...process.execArgv, fileURLToPath(import.meta.url), MAKE, size]
    console.log(execFileSync(process.execPath, command, { encoding: 'utf8' }).trim())
  }
}

async function makeKey(size: string): Promise<void> {
  const [r1cs, zkey] = [file(size, 'r1cs'), file(size, 'zkey')]
  rmSync(zkey, { force: true })
  const before = cpuMs()
  await createDevelopmentKey(r1cs, zkey, { seed: 'bench', kernelDir: CACHE })
  const seconds = ((cpuMs() - before) / 1000).toFixed(1)
  const peakMb = Math.round(process.resourceUsage().maxRSS / 1024)
  for (const path of [r1cs, zkey, file(size, 'wtns')]) rmSync(path)
  console.log(`${Number(size).toLocaleString('en').padStart(8)} constraints: ${seconds} CPU s, ${peakMb} MB at most`)
}

const file = (size: string, ending: string) => join(CACHE, `${size}.${ending}`)

const given = process.argv.slice(2)
if (given[0] === MAKE) await makeKey(given[1]!)
else await main(given.length > 0 ? given : SIZES)
