// A receipt altered in any field is refused by the offline verifier and, as far as the field reaches it, by the contract — and a good
// one settles once. The receipt is proven by the engine but not settled at first: the verifier contract is taken away meanwhile.

import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bn254 } from '@noble/curves/bn254.js'
import { createTestClient, createWalletClient, http, publicActions, type TestClient } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { foundry } from 'viem/chains'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { verifyReceiptFile } from '../../cli/receipt.ts'
import { settleCalldata } from '../../engine/chain/writes.ts'
import { bytesToHex, hexToBytes, integerToHex, type Hex } from '../../engine/core/codec.ts'
import { FIELD_ORDER } from '../../engine/core/field.ts'
import { JOURNAL_FIELDS, binding, deviceDomain, type Journal, type JournalField } from '../../engine/core/journal.ts'
import { appletId as sha256Hex } from '../../engine/core/applet.ts'
import { encodeReceipt, isAttestreamError, parseReceipt } from '../../engine/index.ts'
import type { Receipt } from '../../engine/core/receipt.ts'
import { energyProject, metersWithOneFrame } from './settled-job.ts'
import { openWorld, tasksIn, type TestWorld } from './world.ts'

const SIGNAL_BYTES = 32
const SELECTOR_BYTES = 4
/** Order of BN254's base field, in which the seal's coordinates lie. */
const BASE_ORDER = bn254.fields.Fp.ORDER
const COORDINATES = ['A.x', 'A.y', 'B.x1', 'B.x0', 'B.y1', 'B.y0', 'C.x', 'C.y'] as const
const OTHER_ADDRESS: Hex = '0x00000000000000000000000000000000000000aa'
const OTHER_HASH: Hex = `0x${'ab'.repeat(32)}`

type Alter = (receipt: Receipt) => Receipt

let world: TestWorld
let node: TestClient & ReturnType<typeof publicActions>
let good: Receipt
let taskId: Hex

beforeAll(async () => {
  world = await openWorld()
  const client = createTestClient({ chain: foundry, mode: 'anvil', transport: http(world.rpcUrl) }).extend(
    publicActions,
  )
  node = client as unknown as typeof node
  const { verifier } = world.chain.addresses
  const verifierCode = await node.getCode({ address: verifier })
  const project = await energyProject(world, 4)
  await node.setCode({ address: verifier, bytecode: '0xfe' })
  await metersWithOneFrame(world, project, 4)
  const [task] = await tasksIn(world, project.projectId, 'failed', 1)
  expect(task!.failure).toMatchObject({ code: 'CHAIN_REVERTED' })
  await node.setCode({ address: verifier, bytecode: verifierCode! })
  taskId = task!.taskId
  good = parseReceipt(await world.api.receipt(taskId))
})
afterAll(() => world?.close())

const put =
  (change: Partial<Receipt>): Alter =>
  (receipt) => ({ ...receipt, ...change })
const inJournal =
  (change: (journal: Journal) => Partial<Journal>): Alter =>
  (receipt) => ({ ...receipt, journal: { ...receipt.journal, ...change(receipt.journal) } })

/** Repairs what a receipt says twice, as a forger would. */
function repaired(receipt: Receipt): Receipt {
  const journal = { ...receipt.journal, deviceDomain: deviceDomain(receipt), binding: binding(receipt, receipt) }
  return { ...receipt, journal }
}

const coordinate = (index: number): bigint =>
  BigInt(`0x${good.seal.slice(2 + 2 * (SELECTOR_BYTES + SIGNAL_BYTES * index)).slice(0, 2 * SIGNAL_BYTES)}`)

function withCoordinates(change: Readonly<Record<number, bigint>>): Alter {
  return (receipt) => {
    const words = COORDINATES.map((_, i) => integerToHex(change[i] ?? coordinate(i), SIGNAL_BYTES).slice(2))
    return { ...receipt, seal: `${receipt.seal.slice(0, 10)}${words.join('')}` as Hex }
  }
}

async function verifyOffline(receipt: Receipt, da = world.apiUrl) {
  return verifyReceiptFile(JSON.stringify(encodeReceipt(receipt)), { rpcUrl: world.rpcUrl, da })
}

async function settle(receipt: Receipt, signer = world.owners[0]!) {
  return world.chain.settle(receipt, { privateKey: signer.privateKey })
}

async function codeOf(refused: Promise<unknown>): Promise<string> {
  const error = await refused.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error === undefined) return 'accepted'
  return isAttestreamError(error) ? error.code : `uncoded: ${String(error)}`
}

describe('before it is settled, the receipt', () => {
  it('is good: the offline verifier finds everything but the settlement', async () => {
    const report = await verifyOffline(good)
    expect(report).toMatchObject({ settled: false, devSetup: true, unitsBySlot: [100n, 200n, 300n, 400n] })
  })
})

describe('a receipt with one field altered is refused by the offline verifier', () => {
  const fields: [string, Alter][] = [
    ['chainId (C-04)', put({ chainId: 1 })],
    ['registry (C-04)', put({ registry: OTHER_ADDRESS })],
    ['settlement (C-04)', put({ settlement: OTHER_ADDRESS })],
    ['projectId', (receipt) => ({ ...receipt, projectId: receipt.projectId + 1n })],
    ['version', put({ version: 2 })],
    ['cohort', put({ cohort: 1 })],
    ['batchNumber', (receipt) => ({ ...receipt, batchNumber: receipt.batchNumber + 1n })],
    ['payee (C-05)', put({ payee: OTHER_ADDRESS })],
    ['appletId (D-03)', put({ appletId: OTHER_HASH })],
    ['daPointer (B-06)', put({ daPointer: OTHER_HASH })],
    ['devSetup (C-11)', put({ devSetup: false })],
    ...JOURNAL_FIELDS.map((name): [string, Alter] => [
      `journal.${name}`,
      inJournal((journal) => ({ [name]: journal[name] + 1n })),
    ]),
    ...[0, 1, 2, 3].map((slot): [string, Alter] => [
      `units of slot ${slot}`,
      inJournal(({ lanes }) => ({ lanes: [lanes[0]! + (1n << BigInt(64 * slot))] })),
    ]),
    ['a lane more (C-01)', inJournal(({ lanes }) => ({ lanes: [...lanes, 0n] }))],
    ['no lane (C-01)', inJournal(() => ({ lanes: [] }))],
    ['seal: selector of another key (C-03)', (receipt) => ({ ...receipt, seal: flipBit(receipt.seal, 0) })],
    ...COORDINATES.map((name, i): [string, Alter] => [
      `seal: ${name}`,
      (receipt) => withCoordinates({ [i]: coordinate(i) ^ 1n })(receipt),
    ]),
    ['seal: a byte more', (receipt) => ({ ...receipt, seal: `${receipt.seal}00` })],
    ['seal: a byte less', (receipt) => ({ ...receipt, seal: receipt.seal.slice(0, -2) as Hex })],
  ]
  it.each(fields)('%s', async (_, alter) => {
    expect(await codeOf(verifyOffline(alter(good)))).toMatch(/^(RECEIPT_INVALID|SEAL_INVALID)$/)
  })

  it.each(JOURNAL_FIELDS)('journal.%s by the field order (C-01)', async (name: JournalField) => {
    for (const times of [1n, 2n]) {
      const alias = inJournal((journal) => ({ [name]: journal[name] + times * FIELD_ORDER }))(good)
      expect(await codeOf(verifyOffline(alias))).toBe('RECEIPT_INVALID')
    }
  })

  it.each(COORDINATES.map((name, i) => [name, i] as const))('seal: %s by the base field order (C-02)', async (_, i) => {
    for (const times of [1n, 2n]) {
      const alias = withCoordinates({ [i]: coordinate(i) + times * BASE_ORDER })(good)
      expect(await codeOf(verifyOffline(alias))).toBe('SEAL_INVALID')
    }
  })

  const domainFields: [string, Alter, string][] = [
    ['chainId', put({ chainId: 1 }), 'RECEIPT_INVALID'],
    ['registry', put({ registry: OTHER_ADDRESS }), 'RECEIPT_INVALID'],
    ['settlement', put({ settlement: OTHER_ADDRESS }), 'CHAIN_MISMATCH'],
    ['projectId', (receipt) => ({ ...receipt, projectId: receipt.projectId + 1n }), 'RECEIPT_INVALID'],
    ['version', put({ version: 2 }), 'RECEIPT_INVALID'],
    ['cohort', put({ cohort: 1 }), 'RECEIPT_INVALID'],
    ['batchNumber', (receipt) => ({ ...receipt, batchNumber: receipt.batchNumber + 1n }), 'RECEIPT_INVALID'],
    ['payee', put({ payee: OTHER_ADDRESS }), 'SEAL_INVALID'],
  ]
  it.each(domainFields)('%s, with domain and binding computed anew (C-04, C-05)', async (_, alter, code) => {
    expect(await codeOf(verifyOffline(repaired(alter(good))))).toBe(code)
  })

  it('and so is any text that is no receipt', async () => {
    const options = { rpcUrl: world.rpcUrl, da: world.apiUrl }
    for (const text of ['', 'null', '{}', '[]', '{"format":"attestream.receipt.v1"}', '{"format":']) {
      expect(await codeOf(verifyReceiptFile(text, options))).toBe('RECEIPT_INVALID')
    }
  })
})

describe('data availability', () => {
  let directory: string
  const object = (pointer: Hex) => join(directory, `${pointer}.batch`)
  const original = (pointer: Hex) => join(world.daDirectory, `${pointer}.batch`)

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'attestream-da-'))
    for (const pointer of [good.daPointer, good.appletId]) await copyFile(original(pointer), object(pointer))
  })
  afterAll(() => rm(directory, { recursive: true, force: true }))

  it('serves the verifier from a plain directory as well', async () => {
    expect(await verifyOffline(good, directory)).toMatchObject({ settled: false })
  })

  it.each(['daPointer', 'appletId'] as const)(
    'with one bit of the object of %s altered is refused (B-06)',
    async (name) => {
      const bytes = await readFile(original(good[name]))
      bytes[bytes.length - 1]! ^= 1
      await writeFile(object(good[name]), bytes)
      expect(await codeOf(verifyOffline(good, directory))).toBe('DA_OBJECT_CORRUPT')
      await copyFile(original(good[name]), object(good[name]))
    },
  )

  it('with another batch under its own right pointer is refused (B-06)', async () => {
    const bytes = await readFile(original(good.daPointer))
    bytes[bytes.length - 1]! ^= 1
    const daPointer = sha256Hex(bytes)
    await writeFile(object(daPointer), bytes)
    expect(await codeOf(verifyOffline({ ...good, daPointer }, directory))).toBe('RECEIPT_INVALID')
  })

  it('that withholds the batch leaves the receipt unverified, with a code (B-06)', async () => {
    await rm(object(good.daPointer))
    expect(await codeOf(verifyOffline(good, directory))).toBe('DA_OBJECT_UNKNOWN')
    expect(await codeOf(verifyOffline(good, 'http://127.0.0.1:9'))).toBe('DA_OBJECT_UNKNOWN')
  })
})

describe('before it is settled, the contract refuses', () => {
  const cases: [string, Alter, RegExp][] = [
    ['projectId', (receipt) => ({ ...receipt, projectId: receipt.projectId + 1n }), /VersionUnknown/],
    ['version', put({ version: 2 }), /VersionUnknown/],
    ['cohort', put({ cohort: 1 }), /AnchorNotOpen/],
    ['batchNumber', (receipt) => ({ ...receipt, batchNumber: receipt.batchNumber + 1n }), /AnchorNotOpen/],
    ['daPointer', put({ daPointer: OTHER_HASH }), /AnchorMismatch/],
    ['payee of a front-runner (C-05)', put({ payee: OTHER_ADDRESS }), /ProofInvalid/],
    ...(['batchRoot', 'identityRoot', 'configHash', 'anchorTime'] as const).map((name): [string, Alter, RegExp] => [
      `journal.${name}`,
      inJournal((journal) => ({ [name]: journal[name] + 1n })),
      /AnchorMismatch/,
    ]),
    ['journal.ledgerAfter', inJournal((journal) => ({ ledgerAfter: journal.ledgerAfter + 1n })), /ProofInvalid/],
    [
      'journal.ledgerAfter by the field order (C-01)',
      inJournal((journal) => ({ ledgerAfter: journal.ledgerAfter + FIELD_ORDER })),
      /SignalOutOfField/,
    ],
    [
      'units by the field order (C-01)',
      inJournal(({ lanes }) => ({ lanes: [lanes[0]! + FIELD_ORDER] })),
      /UnitsAboveMaximum/,
    ],
    ...[0, 1, 2, 3].map((slot): [string, Alter, RegExp] => [
      `units of slot ${slot}`,
      inJournal(({ lanes }) => ({ lanes: [lanes[0]! + (1n << BigInt(64 * slot))] })),
      /ProofInvalid/,
    ]),
    ['a lane more (C-01)', inJournal(({ lanes }) => ({ lanes: [...lanes, 0n] })), /LanesLength/],
    ['no lane (C-01)', inJournal(() => ({ lanes: [] })), /LanesLength/],
    ['selector of another key (C-03)', (receipt) => ({ ...receipt, seal: flipBit(receipt.seal, 0) }), /SealOfOtherKey/],
    ...COORDINATES.map((name, i): [string, Alter, RegExp] => [
      `seal: ${name}`,
      (receipt) => withCoordinates({ [i]: coordinate(i) ^ 1n })(receipt),
      /ProofInvalid/,
    ]),
    ...COORDINATES.map((name, i): [string, Alter, RegExp] => [
      `seal: ${name} by the base field order (C-02)`,
      (receipt) => withCoordinates({ [i]: coordinate(i) + BASE_ORDER })(receipt),
      /ProofInvalid|OutOfField/,
    ]),
    ['a seal with a byte more', (receipt) => ({ ...receipt, seal: `${receipt.seal}00` }), /SealLength/],
    ['a seal with a byte less', (receipt) => ({ ...receipt, seal: receipt.seal.slice(0, -2) as Hex }), /SealLength/],
  ]
  it.each(cases)('%s', async (_, alter, refusal) => {
    const refused = settle(alter(good))
    await expect(refused).rejects.toThrow(refusal)
    await expect(refused).rejects.toMatchObject({ code: 'CHAIN_REVERTED' })
  })

  it('calldata cut short (C-01)', async () => {
    const call = { to: good.settlement, account: world.owners[0]!.address }
    const calldata = settleCalldata(good)
    await node.call({ ...call, data: calldata })
    for (const bytes of [1, 32, 300]) {
      await expect(node.call({ ...call, data: calldata.slice(0, -2 * bytes - 56) as Hex })).rejects.toThrow(/revert/)
    }
  })
})

describe('the good receipt', () => {
  it('is settled by anybody, once, though it is sent twice in one block (C-06)', async () => {
    const [first, second] = world.owners as [TestWorld['owners'][number], TestWorld['owners'][number]]
    await node.setAutomine(false)
    const hashes = [await sendSettle(first.privateKey), await sendSettle(second.privateKey)]
    await node.mine({ blocks: 1 })
    await node.setAutomine(true)
    const receipts = await Promise.all(hashes.map((hash) => node.waitForTransactionReceipt({ hash })))
    expect(receipts.map((receipt) => receipt.status).sort()).toEqual(['reverted', 'success'])
    expect(new Set(receipts.map((receipt) => receipt.blockNumber)).size).toBe(1)
    const { creditedUnits } = await world.chain.getCohort(good.projectId, good.cohort)
    expect(creditedUnits).toEqual([100n, 200n, 300n, 400n])
  })

  it('is refused a second time, by its sender and by others (C-06)', async () => {
    await expect(settle(good)).rejects.toThrow('AnchorNotOpen(0, 1, 1)')
    await expect(settle(good, world.owners[1]!)).rejects.toMatchObject({ code: 'CHAIN_REVERTED' })
  })

  it('pays nothing when its proof is negated or re-randomised, though the proof still holds (C-02)', async () => {
    const negated = withCoordinates({
      1: BASE_ORDER - coordinate(1),
      4: BASE_ORDER - coordinate(4),
      5: BASE_ORDER - coordinate(5),
    })(good)
    for (const variant of [negated, rerandomised()]) {
      expect(await verifyOffline(variant)).toMatchObject({ settled: true })
      await expect(settle(variant)).rejects.toThrow('AnchorNotOpen(0, 1, 1)')
    }
    const { creditedUnits } = await world.chain.getCohort(good.projectId, good.cohort)
    expect(creditedUnits).toEqual([100n, 200n, 300n, 400n])
  })

  it('is now settled for the offline verifier too', async () => {
    const report = await verifyOffline(good)
    expect(report.settled).toBe(true)
    expect(report.checks.at(-1)).toBe('the chain settled this receipt')
  })

  it('brings the failed task to its end when it is retried: the engine adopts the settlement it finds', async () => {
    await world.engine.retryTask(taskId)
    const [task] = await tasksIn(world, good.projectId, 'settled', 1)
    expect(task).toMatchObject({ taskId, failure: null, unitsBySlot: [100n, 200n, 300n, 400n] })
  })
})

/** Sent without asking the node whether it will pass. */
async function sendSettle(privateKey: Hex): Promise<Hex> {
  const account = privateKeyToAccount(privateKey)
  const wallet = createWalletClient({ account, chain: foundry, transport: http(world.rpcUrl) })
  return wallet.sendTransaction({ to: good.settlement, data: settleCalldata(good), gas: 1_000_000n })
}

/** (kA, k⁻¹B, C): the same statement, another proof. */
function rerandomised(): Receipt {
  const k = 7n
  const inverse = bn254.fields.Fr.inv(k)
  const a = bn254.G1.Point.fromAffine({ x: coordinate(0), y: coordinate(1) })
    .multiply(k)
    .toAffine()
  const pair = (high: number) => ({ c0: coordinate(high + 1), c1: coordinate(high) })
  const b = bn254.G2.Point.fromAffine({ x: pair(2), y: pair(4) })
    .multiply(inverse)
    .toAffine()
  return withCoordinates({ 0: a.x, 1: a.y, 2: b.x.c1, 3: b.x.c0, 4: b.y.c1, 5: b.y.c0 })(good)
}

function flipBit(hex: Hex, byte: number): Hex {
  const bytes = hexToBytes(hex)
  bytes[byte]! ^= 1
  return bytesToHex(bytes)
}
