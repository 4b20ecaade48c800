// Child process of determinism.test.ts: builds energy-meter from the checkout that it lies in, down to the constraint system of
// the applet alone, and prints the hashes.

import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildApplet } from '../../applets/build.ts'
import { CIRCOM_OUTPUT, collectSources, compileCircom } from '../../circuits/circom.ts'
import { compileApplet } from '../../circuits/compiler/index.ts'

const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex')
const MAIN = 'pragma circom 2.1.0;\ninclude "applet.circom";\ncomponent main = Applet();\n'

const wasm = await buildApplet(join(import.meta.dirname, '../../applets/energy-meter.ts'))
const { circom } = compileApplet(wasm)
const work = mkdtempSync(join(tmpdir(), 'attestream-determinism-'))
await compileCircom(collectSources({ 'main.circom': MAIN, 'applet.circom': circom }), work)
const r1cs = readFileSync(join(work, CIRCOM_OUTPUT.r1cs))
rmSync(work, { recursive: true })
console.log(JSON.stringify({ wasm: sha256(wasm), circom: sha256(circom), r1cs: sha256(r1cs) }))
