// The golden vectors, computed from docs/architecture.md with circomlibjs and viem alone: nothing here imports the
// engine, so core.json says what the bytes and hashes must be, not what the engine makes of them.
// `npx tsx test/vectors/write.ts` writes core.json; test/core/vectors.test.ts compares it with both sides.

import { buildEddsa, buildPoseidon } from 'circomlibjs'
import { concat, encodeAbiParameters, keccak256, numberToHex, sha256, stringToHex, type Hex } from 'viem'

type Integers = readonly bigint[]
type Hash = (inputs: Integers) => bigint

const READING = [
  { name: 'timeSec', type: 'u32', bits: 32, offset: 0 },
  { name: 'celsius', type: 'i16', bits: 12, offset: 4 },
  { name: 'open', type: 'bool', bits: 1, offset: 6 },
]
/** Two words: the four widths do not fit 248 bits together. */
const STATE = ['a', 'b', 'c', 'd'].map((name, i) => ({ name, type: 'u64', bits: 64, offset: 8 * i }))
const FRAME_SIZE = 3
const CHAIN_ID = 31337n
const REGISTRY = '0x5FbDB2315678afecb367f032d93F642f64180aa3'
const SETTLEMENT = '0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512'
const PAYEE = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8'
const PROJECT_ID = 7n

/** Everything in core.json; integers as decimal strings. */
export async function referenceVectors() {
  const hash = await poseidonHash()
  const signer = await eddsaSigner()
  const domain = deviceDomain()
  const frame = referenceFrame(hash, signer, domain)
  return decimal({
    poseidon: range(1, 16).map((arity) => poseidonVector(hash, arity)),
    sponge: [0, 1, 14, 15, 16, 30, 31, 192].map((length) => spongeVector(hash, length)),
    signatures: [0n, 1n, 2n ** 253n, 21888242871839275222246405745257275088548364400416034343698204186575808495616n].map(
      (message, i) => signer(`0x${(i + 1).toString(16).padStart(64, '0')}`, message),
    ),
    domain: { chainId: CHAIN_ID, registry: REGISTRY, settlement: SETTLEMENT, projectId: PROJECT_ID, deviceDomain: domain },
    frame,
    ledger: ledgerVector(hash),
    batch: { hashes: [frame.messageHash, 0n, 5n, 0n], root: sponge(hash, 2n, [frame.messageHash, 0n, 5n, 0n]) },
    identity: identityVector(hash, signer),
    config: { record: [9n, 8n, 7n, 6n], hash: sponge(hash, 5n, stateWords([9n, 8n, 7n, 6n])), empty: sponge(hash, 5n, []) },
    binding: bindingVector(),
    anchor: anchorVector(),
    lanes: { units: [1n, 2n, 3n, 2n ** 38n - 1n, 5n, 0n, 0n, 0n], lanes: [1n + (2n << 64n) + (3n << 128n) + ((2n ** 38n - 1n) << 192n), 5n] },
    task: taskVector(),
    receipt: receiptVector(domain),
  })
}

async function poseidonHash(): Promise<Hash> {
  const poseidon = await buildPoseidon()
  return (inputs) => BigInt(poseidon.F.toString(poseidon([...inputs])))
}

async function eddsaSigner() {
  const eddsa = await buildEddsa()
  const { F } = eddsa
  return (secretKey: Hex, message: bigint) => {
    const secret = Buffer.from(secretKey.slice(2), 'hex')
    const signature = eddsa.signPoseidon(secret, F.e(message))
    const [x, y] = eddsa.prv2pub(secret).map((value: unknown) => BigInt(F.toString(value))) as [bigint, bigint]
    const [r8x, r8y] = signature.R8.map((value: unknown) => BigInt(F.toString(value))) as [bigint, bigint]
    return { secretKey, message, key: { x, y }, signature: { r8x, r8y, s: BigInt(signature.S) } }
  }
}

/** h = tag·2^32 + length, then h = Poseidon(h, at most 15 words) until no words are left. */
function sponge(hash: Hash, tag: bigint, words: Integers): bigint {
  let state = tag * 2n ** 32n + BigInt(words.length)
  if (words.length === 0) return hash([state])
  for (let at = 0; at < words.length; at += 15) state = hash([state, ...words.slice(at, at + 15)])
  return state
}

function poseidonVector(hash: Hash, arity: number) {
  const inputs = range(1, arity).map((i) => BigInt(i) ** 40n)
  return { inputs, hash: hash(inputs) }
}

function spongeVector(hash: Hash, length: number) {
  return { tag: 3n, length: BigInt(length), hash: sponge(hash, 3n, range(1, length).map(BigInt)) }
}

function referenceFrame(hash: Hash, signer: Awaited<ReturnType<typeof eddsaSigner>>, domain: bigint) {
  const [deviceId, sequence] = [42n, 2n ** 40n + 5n]
  const readings = [
    { timeSec: 1_767_225_600n, celsius: -5n, open: 1n },
    { timeSec: 1_767_225_660n, celsius: 2047n, open: 0n },
  ]
  const words = readings.map(({ timeSec, celsius, open }) => ((timeSec * 2n ** 12n + (celsius & 0xfffn)) << 1n) + open)
  const text = `attestream.layout.v1:timeSec:u32:32,celsius:i16:12,open:bool:1:R=${FRAME_SIZE}`
  const layoutId = BigInt(keccak256(stringToHex(text))) >> 8n
  const readingsHash = sponge(hash, 1n, [...words, 0n])
  const messageHash = hash([domain, deviceId, layoutId, sequence * 256n + 2n, readingsHash])
  const secretKey: Hex = `0x${'11'.repeat(32)}`
  const { key, signature } = signer(secretKey, messageHash)
  const bytes = concat([
    '0x0102',
    numberToHex(layoutId, { size: 31 }).slice(0, 10) as Hex,
    numberToHex(deviceId, { size: 8 }),
    numberToHex(sequence, { size: 8 }),
    ...words.map((word) => numberToHex(word << 3n, { size: 6 })),
    ...[signature.r8x, signature.r8y, signature.s].map((value) => numberToHex(value, { size: 32 })),
  ])
  return { layout: READING, frameSize: FRAME_SIZE, deviceId, sequence, readings, layoutId, readingsHash, messageHash, secretKey, key, signature, bytes } // prettier-ignore
}

/** Three fields of 64 bits fill a word, the fourth starts another. */
function stateWords([a, b, c, d]: Integers): bigint[] {
  return [(a! << 128n) + (b! << 64n) + c!, d!]
}

function ledgerVector(hash: Hash) {
  const sequences = [1n, 2n, 2n ** 64n - 1n, 4n]
  const states = sequences.map((sequence) => [sequence, 1n, 2n, 2n ** 64n - 1n])
  const words = [(sequences[0]! << 128n) + (sequences[1]! << 64n) + sequences[2]!, sequences[3]!]
  const sequencesHash = sponge(hash, 3n, words)
  const statesHash = sponge(hash, 4n, states.flatMap(stateWords)) // prettier-ignore
  const stateless = hash([sequencesHash, sponge(hash, 4n, [])])
  return { layout: STATE, sequences, states, sequencesHash, statesHash, ledger: hash([sequencesHash, statesHash]), stateless }
}

function identityVector(hash: Hash, signer: Awaited<ReturnType<typeof eddsaSigner>>) {
  const { key } = signer(`0x${'11'.repeat(32)}`, 1n)
  const leaves = [hash([key.x, key.y, 42n]), 0n, 0n, 3n]
  const root = hash([hash([leaves[0]!, leaves[1]!]), hash([leaves[2]!, leaves[3]!])])
  return { key, deviceId: 42n, leaves, root }
}

function deviceDomain(): bigint {
  const types = [{ type: 'uint256' }, { type: 'address' }, { type: 'address' }, { type: 'uint256' }]
  return BigInt(keccak256(encodeAbiParameters(types, [CHAIN_ID, REGISTRY, SETTLEMENT, PROJECT_ID]))) >> 8n
}

function bindingVector() {
  const task = { version: 3n, cohort: 2n, batchNumber: 19n, payee: PAYEE }
  const types = ['uint256', 'address', 'uint256', 'uint256', 'uint256', 'uint256', 'address'].map((type) => ({ type }))
  const values = [CHAIN_ID, SETTLEMENT, PROJECT_ID, task.version, task.cohort, task.batchNumber, PAYEE]
  return { ...task, binding: BigInt(keccak256(encodeAbiParameters(types, values))) >> 8n }
}

function anchorVector() {
  const daPointer = sha256('0x415442')
  const anchor = { batchRoot: 21n, identityRoot: 22n, configHash: 23n, version: 3n, anchorTime: 1_767_225_700n }
  const types = [...Object.keys(anchor).map(() => ({ type: 'uint256' })), { type: 'bytes32' }]
  return { ...anchor, daPointer, hash: keccak256(encodeAbiParameters(types, [...Object.values(anchor), daPointer])) }
}

function taskVector() {
  const task = { projectId: PROJECT_ID, version: 3n, cohort: 2n, batchRoot: 21n, daPointer: sha256('0x415442') }
  const sizes = [8, 4, 4, 32]
  const parts = [task.projectId, task.version, task.cohort, task.batchRoot].map((value, i) => numberToHex(value, { size: sizes[i]! }))
  return { ...task, taskId: sha256(concat([...parts, task.daPointer])) }
}

function receiptVector(domain: bigint) {
  const { batchRoot, identityRoot, configHash, anchorTime, daPointer } = anchorVector()
  const { binding } = bindingVector()
  return {
    format: 'attestream.receipt.v1',
    chainId: 31337,
    registry: REGISTRY,
    settlement: SETTLEMENT,
    projectId: PROJECT_ID,
    appletId: sha256('0x00'),
    version: 3,
    cohort: 2,
    batchNumber: 19n,
    payee: PAYEE,
    daPointer,
    devSetup: true,
    journal: { identityRoot, ledgerBefore: 31n, ledgerAfter: 32n, batchRoot, configHash, deviceDomain: domain, anchorTime, binding, lanes: [33n] }, // prettier-ignore
    seal: `0x${'5e'.repeat(260)}`,
  }
}

function range(first: number, last: number): number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i)
}

type Decimal<T> = T extends bigint ? string : T extends object ? { [Key in keyof T]: Decimal<T[Key]> } : T

function decimal<T>(value: T): Decimal<T> {
  return JSON.parse(JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? `${item}` : item)))
}
