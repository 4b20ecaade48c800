// A test double of the batch circuit: it has the batch circuit's public signals, squares each and constrains nothing else, so it
// proves any journal in milliseconds. The contracts cannot tell: a real key, a real proof, a real verification on a real EVM.
// What the true circuit proves about its journal is tested with the circuits.

import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { curves, groth16, wtns, zKey } from 'snarkjs'
import { CIRCOM_OUTPUT, circomVersion, collectSources, compileCircom } from '../../circuits/circom.ts'
import { createDevelopmentKey } from '../../circuits/setup/development-key.ts'
import { bytesToHex, type Hex } from '../../engine/core/codec.ts'
import { journalSignals, type Journal } from '../../engine/core/journal.ts'
import { encodeSeal } from '../../engine/core/seal.ts'
import { encodeVerifyingKey, verifyingKeyHash, type VerifyingKey } from '../../engine/core/verifying-key.ts'

export interface JournalProver {
  readonly verifyingKey: Hex
  readonly vkHash: Hex
  readonly r1csPath: string
  readonly zkey: Uint8Array
  /** Proves any journal of the prover's number of signals. */
  prove(journal: Journal): Promise<Hex>
  proveSignals(signals: readonly bigint[]): Promise<Hex>
}

const CACHE_DIR = fileURLToPath(new URL('../../build/test-circuits/', import.meta.url))

/** The prover for a cohort size: 8 + D/4 public signals. `seed` chooses the key; the same seed gives the same key. */
export async function journalProver(cohortSize: number, seed = 'journal'): Promise<JournalProver> {
  const signalCount = 8 + cohortSize / 4
  const dir = join(CACHE_DIR, `journal-${signalCount}-${seed}-${circomVersion}`)
  if (!existsSync(dir)) await build(signalCount, seed, dir)
  const curve = (await curves.getCurveFromName('bn128', { singleThread: true })) as unknown
  ;(globalThis as { curve_bn128?: unknown }).curve_bn128 = curve
  const witnessWasm = join(dir, CIRCOM_OUTPUT.witnessWasm)
  const zkey = new Uint8Array(readFileSync(join(dir, 'key.zkey')))
  const encoded = encodeVerifyingKey((await zKey.exportVerificationKey!(zkey)) as VerifyingKey)
  const hash = verifyingKeyHash(encoded)

  async function proveSignals(signals: readonly bigint[]): Promise<Hex> {
    const witness = { type: 'mem' as const }
    await wtns.calculate!({ journal: signals.map(String) }, witnessWasm, witness)
    return encodeSeal(hash, (await groth16.prove(zkey, witness)).proof)
  }
  const prove = (journal: Journal): Promise<Hex> => proveSignals(journalSignals(journal))
  const r1csPath = join(dir, CIRCOM_OUTPUT.r1cs)
  return { verifyingKey: bytesToHex(encoded), vkHash: hash, r1csPath, zkey, prove, proveSignals }
}

async function build(signalCount: number, seed: string, dir: string): Promise<void> {
  const draft = `${dir}.${process.pid}`
  mkdirSync(draft, { recursive: true })
  const main = `pragma circom 2.1.0;
template Squares(N) {
  signal input journal[N];
  signal squares[N];
  for (var i = 0; i < N; i++) squares[i] <== journal[i] * journal[i];
}
component main {public [journal]} = Squares(${signalCount});
`
  await compileCircom(collectSources({ 'main.circom': main }), draft)
  await createDevelopmentKey(join(draft, CIRCOM_OUTPUT.r1cs), join(draft, 'key.zkey'), { seed })
  if (existsSync(dir)) rmSync(draft, { recursive: true })
  else renameSync(draft, dir)
}
