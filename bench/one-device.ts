// The other shape, for docs/comparison.md: one device and one reading a proof, everything in 67 public signals as in W3bstream's verifier
// of movement. It proves the least that such a proof can: the device's signature and the rule of our movement applet. W3bstream's own circuit
// checks other things, so this stands for the shape and not for their code.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildApplet } from '../applets/build.ts'
import { CIRCOM_OUTPUT, collectSources, compileCircom } from '../circuits/circom.ts'
import { compileApplet } from '../circuits/compiler/index.ts'
import { exportVerifyingKey } from '../circuits/setup/export-verifying-key.ts'
import { makeProvingKey } from '../circuits/setup/proving-key.ts'
import { readR1cs } from '../circuits/setup/r1cs.ts'
import type { AppletAbi } from '../engine/core/applet.ts'
import { poseidon } from '../engine/core/poseidon.ts'
import { publicKey, sign } from '../engine/core/signature.ts'
import type { CircuitInput } from '../engine/core/witness.ts'
import type { ProvingFiles } from '../engine/prover/prover.ts'

const SIGNALS = 67
const SECRET = new Uint8Array(32).fill(7)

export interface OneDevice {
  readonly constraints: number
  readonly files: ProvingFiles
  readonly input: CircuitInput
}

/** Circuit, development key and an input, made in `directory`. */
export async function oneDevice(directory: string): Promise<OneDevice> {
  const { abi, circom } = compileApplet(await buildApplet('applets/movement.ts'))
  mkdirSync(directory, { recursive: true })
  await compileCircom(collectSources({ 'main.circom': mainOf(abi), 'applet.circom': circom }), directory)
  const r1cs = join(directory, CIRCOM_OUTPUT.r1cs)
  const zkey = join(directory, 'main.zkey')
  await makeProvingKey(r1cs, zkey, { kind: 'development', seed: 'bench' })
  const verifyingKey = join(directory, 'verifying-key.json')
  writeFileSync(verifyingKey, JSON.stringify(exportVerifyingKey(zkey)))
  const files = { witnessWasm: join(directory, CIRCOM_OUTPUT.witnessWasm), zkey, verifyingKey, r1cs }
  return { constraints: readR1cs(r1cs).constraintCount, files, input: inputOf() }
}

/** Signals: 3 of Reading, 3 of State, 3 of Config, the anchor's time, key, R8, S, units, the rest unused but constrained. */
function mainOf({ reading, state, config }: AppletAbi): string {
  const [atState, atConfig] = [reading.length, reading.length + state.length]
  const at = atConfig + config.length
  const words = (count: number, from: number) =>
    Array.from({ length: count }, (_, i) => `signal_[${from + i}]`).join(', ')
  return `pragma circom 2.1.6;
include "signature.circom";
include "applet.circom";
template OneDevice() {
    signal input signal_[${SIGNALS}];
    signal squares[${SIGNALS}];
    for (var i = 0; i < ${SIGNALS}; i++) { squares[i] <== signal_[i] * signal_[i]; }
    component applet = Applet();
    applet.enabled <== 1;
    applet.reading <== [${words(reading.length, 0)}];
    applet.state <== [${words(state.length, atState)}];
    applet.config <== [${words(config.length, atConfig)}];
    applet.anchorTime <== signal_[${at}];
    signal message <== Poseidon(${reading.length})([${words(reading.length, 0)}]);
    FrameSignature()(1, ${words(5, at + 1)}, message);
    signal_[${at + 6}] === applet.units;
}
component main {public [signal_]} = OneDevice();
`
}

/** A device that moved 1.1 km in a minute: paid. */
function inputOf(): CircuitInput {
  const reading = [1_700_000_060n, 46_010_000n, 7_000_000n]
  const state = [1_700_000_000n, 46_000_000n, 7_000_000n]
  const [thresholdMeters, maxMetersPerSec, unitsPerMove] = [50n, 60n, 100_000n]
  const { x, y } = publicKey(SECRET)
  const { r8x, r8y, s } = sign(SECRET, poseidon(reading))
  const used = [...reading, ...state, thresholdMeters, maxMetersPerSec, unitsPerMove, 1_800_000_000n]
  used.push(x, y, r8x, r8y, s, unitsPerMove)
  const signals = [...used, ...Array.from({ length: SIGNALS - used.length }, (_, i) => BigInt(i + 1))]
  return { signal_: signals.map(String) } as unknown as CircuitInput
}
