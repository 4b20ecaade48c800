// `npm run bench:compare` writes docs/comparison.md: one device-day by this project, in W3bstream's shape, and by what RISC Zero and zkWasm
// publish. Its own figures are the recorded ones of the commands that the page names; a test holds the page to what this writes.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import gas from '../contracts/gas.snapshot.json' with { type: 'json' }
import published from './published.json' with { type: 'json' }
import { recordedRates, type ReadingRate, type ReadingRates } from './readings.bench.ts'
import sideBySide from './side-by-side.json' with { type: 'json' }

export const PAGE = join(import.meta.dirname, '../docs/comparison.md')

const READINGS_A_DAY = 96
const PRICES = { gweiBase: 1, gweiRollup: 0.01, usdPerEth: 3000 } as const
const USD_PER_CORE_HOUR = 0.05
/** Published by others: bench/published.json names the sources. */
const RISC_ZERO = { cyclesPerSignature: 661_667, cycles: 1_048_576, seconds: 111.7, gasOfProof: 316_000 } as const
const OWN = { applet: 'movement', prover: 'wasm' } as const
const COHORT_OF_GAS = 16

interface Day {
  readonly shape: string
  readonly proofs: number
  readonly cpuSeconds: number
  readonly gas: number
}

/** The page, from what was measured. */
export function comparisonPage(rates: ReadingRates): string {
  const own = ownRate(rates)
  const frames = READINGS_A_DAY / own.frameSize
  const days = [w3bstreamDay(rates), ...ownDays(own, frames)]
  return `# One device-day, compared

Written by \`npm run bench:compare\` from recorded measurements and published figures; change those, not this page. **Measured** is ours, each with its
command; **published** is what others say of themselves or users of them; **estimate** is arithmetic on either.

The day: a device reports its position every 15 minutes, ${READINGS_A_DAY} readings, and is paid when it has moved (\`applets/movement.ts\`). A frame holds
${own.frameSize} readings, so there are ${frames} frames a day. Gas is that of batches of ${COHORT_OF_GAS} devices; processor time was taken with batches of ${own.cohortSize} (${grouped(own.constraints)} constraints,
domain 2^${own.power}), where a device's share is a little larger than among ${COHORT_OF_GAS}.

## Time and gas

| for one device and day | proofs it takes part in | processor seconds | gas | gas of the first |
|---|---:|---:|---:|---:|
${days.map((day) => dayRow(day, days[0]!.gas)).join('\n')}

- The first row is **W3bstream's shape**: one device and reading a proof, 67 public signals, snarkjs as prover and verifier. Gas is **measured** for a
  verification alone, ${grouped(sideBySide['verify.snarkjs.signals67'])} (\`npm run bench:gas\`): nothing is anchored or credited. Processor time is **measured** on a circuit of ours of that shape,
  one signature and the same rule, ${grouped(rates.oneDevice.constraints)} constraints, ${seconds(rates.oneDevice.cpuMs)} s a proof (\`npm run bench:readings\`). W3bstream's own circuit and prover (gnark) were
  not run: theirs may take more or less, and that a proof holds one reading is our reading of its shape. The same repository has a test contract for proofs of 20 devices; its movement verifier takes one.
- Ours: processor time is **measured**, witness, proof and check, ${seconds(own.cpuMs)} s a batch by the ${own.prover} prover (\`npm run bench:readings\`); gas is **measured** with anchor and
  settlement, which credits every device (\`npm run -s figures\`).
- Most of the difference is in the shape: one signature for ${own.frameSize} readings, one settlement for ${COHORT_OF_GAS} devices. Of the processor time, the prover is a part too.
- Registration (${grouped(gas['gas.register.mean'])} gas once) and claims (${grouped(gas['gas.claim.slots16'])} for 16 devices, when an owner likes) are not in the rows.

## The same in money

Assumed, not measured: ${PRICES.gweiBase} gwei on a base chain, ${PRICES.gweiRollup} gwei on a rollup (without its fee for data), ${grouped(PRICES.usdPerEth)} USD an ether, ${USD_PER_CORE_HOUR} USD a core-hour. All **estimates**.

| for one device and day | processor, USD | gas on a base chain, USD | gas on a rollup, USD |
|---|---:|---:|---:|
${days.map(moneyRow).join('\n')}

## RISC Zero and zkWasm

Neither publishes a device-day. An **estimate** for RISC Zero from the published figures below: ${frames} frames are ${frames} signatures, at ${grouped(RISC_ZERO.cyclesPerSignature)} cycles each
${millions(frames * RISC_ZERO.cyclesPerSignature)} million cycles, ${grouped(Math.round(riscZeroSeconds(frames)))} s on an M2 Pro's processor at ${grouped(Math.round(RISC_ZERO.cycles / RISC_ZERO.seconds))} cycles a second, the rule itself and the wrapping into Groth16 not counted; on
chain ${grouped(RISC_ZERO.gasOfProof)} gas a proof, of however many devices the program takes. Proofs on GPUs are many times faster. Its signature is secp256k1, ours is made for
circuits; its guest is any Rust program, ours are bounded applets; it needs no setup for each program, ours does. For zkWasm no published figure
says what a signature costs, so there is no estimate.

| system | published | source | date |
|---|---|---|---|
${published.map((row) => `| ${row.system} | ${row.figure} | ${row.source} | ${row.date} |`).join('\n')}

## Where the measurements come from

${rates.machine
  .split('\n')
  .map((line) => `- ${line.replace(/ +/g, ' ')}`)
  .join('\n')}

Processor seconds are of one thread's work wherever it ran; on a busy machine they come out higher than on an idle one, for all rows alike.
`
}

function ownRate({ rates }: ReadingRates): ReadingRate {
  const found = rates.find((rate) => rate.applet === OWN.applet && rate.prover === OWN.prover)
  if (found === undefined || READINGS_A_DAY % found.frameSize !== 0)
    throw new Error('bench/readings.json lacks the rate that the page rests on')
  return found
}

function w3bstreamDay({ oneDevice }: ReadingRates): Day {
  const perProof = sideBySide['verify.snarkjs.signals67']
  return {
    shape: "W3bstream's shape, snarkjs",
    proofs: READINGS_A_DAY,
    cpuSeconds: (READINGS_A_DAY * oneDevice.cpuMs) / 1000,
    gas: READINGS_A_DAY * perProof,
  }
}

function ownDays(own: ReadingRate, frames: number): Day[] {
  const cpuSeconds = (frames * own.cpuMs) / 1000 / own.cohortSize
  const day = (shape: string, gasOfBatch: number): Day => {
    return { shape, proofs: frames, cpuSeconds, gas: Math.round((frames * gasOfBatch) / COHORT_OF_GAS) }
  }
  return [
    day('ours, each batch settled alone', gas['gas.settle.D16'] + gas['gas.anchor']),
    day('ours, 16 batches settled at once', gas['gas.settleMany16.D16'] + gas['gas.anchorMany16']),
  ]
}

function dayRow({ shape, proofs, cpuSeconds, gas: gasOfDay }: Day, first: number): string {
  return `| ${shape} | ${proofs} | ${cpuSeconds.toFixed(1)} | ${grouped(gasOfDay)} | 1/${(first / gasOfDay).toFixed(0)} |`
}

function moneyRow({ shape, cpuSeconds, gas: gasOfDay }: Day): string {
  const { gweiBase, gweiRollup, usdPerEth } = PRICES
  const ofGas = (gwei: number) => (gasOfDay * gwei * 1e-9 * usdPerEth).toFixed(4)
  const ofCpu = ((cpuSeconds / 3600) * USD_PER_CORE_HOUR).toFixed(5)
  return `| ${shape} | ${ofCpu} | ${ofGas(gweiBase)} | ${ofGas(gweiRollup)} |`
}

function riscZeroSeconds(signatures: number): number {
  return (signatures * RISC_ZERO.cyclesPerSignature * RISC_ZERO.seconds) / RISC_ZERO.cycles
}

function grouped(value: number): string {
  return value.toLocaleString('en')
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(2)
}

function millions(value: number): string {
  return (value / 1e6).toFixed(1)
}

if (import.meta.url === pathToFileURL(process.argv[1]!).href) {
  writeFileSync(PAGE, comparisonPage(recordedRates()))
  console.log(readFileSync(PAGE, 'utf8'))
}
