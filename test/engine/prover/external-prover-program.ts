// <zkey> <wtns> <proof.json> <public.json>, by our own prover.

import { readFileSync, writeFileSync } from 'node:fs'
import { loadKernel } from '../../../engine/prover/wasm/compile.ts'
import { proveWitness } from '../../../engine/prover/wasm/proof.ts'
import { loadKey } from '../../../engine/prover/wasm/resident-key.ts'
import { KERNEL_CACHE } from './wasm/kernel-cache.ts'

const [zkey, wtns, proofFile, publicFile] = process.argv.slice(2) as [string, string, string, string]
const { proof, publicSignals } = proveWitness(loadKey(await loadKernel(KERNEL_CACHE), zkey), readFileSync(wtns))
writeFileSync(proofFile, JSON.stringify(proof))
writeFileSync(publicFile, JSON.stringify(publicSignals))
