// A circuit's plan kept in a file beside its constraints, so that it is derived once. The file names the constraints it was derived
// from and the hash of its own content: a stale or damaged one is derived again.

import { execFile } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { planCircuit, type CircuitPlan } from './circuit-plan.ts'

/** Raised when plans, their form or the steps of the kernel change. */
const FORMAT = 'attestream.witness-plan.v1'
const PLAN_FILE = /\.r1cs$/
const BIGINT_BYTES = 32
const CHILD = fileURLToPath(new URL('./plan-child.ts', import.meta.url))
const LOADER = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href

type Head = Omit<CircuitPlan, 'rowStart' | 'terms' | 'coefficients' | 'steps'> & {
  readonly format: string
  readonly r1csSha256: string
  readonly bodySha256: string
  readonly lengths: readonly number[]
}

/** The plan of a circuit, kept or derived; undefined if it has none (`planCircuit`). Throws R1CS_INVALID. */
export function loadPlan(r1csPath: string): CircuitPlan | undefined {
  const path = r1csPath.replace(PLAN_FILE, '.plan')
  const r1csSha256 = sha256(readFileSync(r1csPath))
  const kept = readPlan(path, r1csSha256)
  if (kept) return kept
  const plan = planCircuit(r1csPath, r1csPath.replace(PLAN_FILE, '.sym'))
  if (plan) keepPlan(path, plan, r1csSha256)
  return plan
}

/** Derives and keeps a plan in a process of its own: it takes some seconds and some hundred MB. What fails there is tried again by `loadPlan`. */
export function keepPlanBeside(r1csPath: string): Promise<void> {
  return new Promise((resolve) => execFile(process.execPath, ['--import', LOADER, CHILD, r1csPath], () => resolve()))
}

/** Where a directory cannot be written to, the next process derives the plan again. */
function keepPlan(path: string, plan: CircuitPlan, r1csSha256: string): void {
  const own = `${path}.${randomUUID()}`
  try {
    writeFileSync(own, encodePlan(plan, r1csSha256))
    renameSync(own, path)
  } catch {
    rmSync(own, { force: true })
  }
}

function encodePlan({ rowStart, terms, steps, coefficients, ...rest }: CircuitPlan, r1csSha256: string): Buffer {
  const numbers = Buffer.from(
    coefficients.map((value) => value.toString(16).padStart(2 * BIGINT_BYTES, '0')).join(''),
    'hex',
  )
  const parts = [rowStart, terms, steps].map(({ buffer, byteOffset, byteLength }) =>
    Buffer.from(buffer, byteOffset, byteLength),
  )
  const body = Buffer.concat([...parts, numbers])
  const lengths = [...parts, numbers].map(({ length }) => length)
  const head: Head = { format: FORMAT, r1csSha256, bodySha256: sha256(body), lengths, ...rest }
  const text = Buffer.from(`${JSON.stringify(head)}\n`)
  return Buffer.concat([text, body])
}

function readPlan(path: string, expectedSha256: string): CircuitPlan | undefined {
  if (!existsSync(path)) return undefined
  const file = readFileSync(path)
  const end = file.indexOf('\n')
  const body = file.subarray(end + 1)
  try {
    const { format, bodySha256, lengths, r1csSha256, ...plan } = JSON.parse(file.toString('utf8', 0, end)) as Head
    if (format !== FORMAT || r1csSha256 !== expectedSha256 || bodySha256 !== sha256(body)) return undefined
    const [rowStart, terms, steps, numbers] = cut(body, lengths)
    const plain = [rowStart, terms, steps].map((part) => new Uint32Array(Uint8Array.from(part!).buffer))
    return { ...plan, rowStart: plain[0]!, terms: plain[1]!, steps: plain[2]!, coefficients: integers(numbers!) }
  } catch {
    return undefined
  }
}

function cut(body: Buffer, lengths: readonly number[]): Buffer[] {
  let at = 0
  return lengths.map((length) => body.subarray(at, (at += length)))
}

function integers(bytes: Buffer): bigint[] {
  return Array.from({ length: bytes.length / BIGINT_BYTES }, (_, k) =>
    BigInt(`0x${bytes.toString('hex', k * BIGINT_BYTES, (k + 1) * BIGINT_BYTES)}`),
  )
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
