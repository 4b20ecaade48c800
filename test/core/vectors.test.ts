// Golden vectors: what architecture.md §2 defines, computed by circomlibjs and viem (test/vectors), against the core.

import { describe, expect, it } from 'vitest'
import { batchRoot } from '../../engine/core/batch.ts'
import { bytesToHex, hexToBytes, type Hex } from '../../engine/core/codec.ts'
import { decodeFrame, encodeFrame, frameFormat, messageHash, readingsHash, signFrame } from '../../engine/core/frame.ts'
import { deviceLeaf, identityRoot } from '../../engine/core/identity.ts'
import {
  anchorHash,
  binding,
  configHash,
  deviceDomain,
  packLanes,
  unpackLanes,
  type Domain,
} from '../../engine/core/journal.ts'
import { decodeRecord, encodeRecord, layoutId, type Layout } from '../../engine/core/layout.ts'
import { ledgerHash, sequencesHash, statesHash } from '../../engine/core/ledger.ts'
import { poseidon, sponge } from '../../engine/core/poseidon.ts'
import { encodeReceipt, parseReceipt, receiptAnchor } from '../../engine/core/receipt.ts'
import { createVerifier, publicKey, sign, type PublicKey, type Signature } from '../../engine/core/signature.ts'
import { taskId } from '../../engine/core/task.ts'
import vectors from '../vectors/core.json' with { type: 'json' }
import { referenceVectors } from '../vectors/reference.ts'

const integers = (values: readonly string[]): bigint[] => values.map(BigInt)
const key = ({ x, y }: { x: string; y: string }): PublicKey => ({ x: BigInt(x), y: BigInt(y) })
const signature = ({ r8x, r8y, s }: { r8x: string; r8y: string; s: string }): Signature => ({
  r8x: BigInt(r8x),
  r8y: BigInt(r8y),
  s: BigInt(s),
})
const domain: Domain = {
  chainId: Number(vectors.domain.chainId),
  registry: vectors.domain.registry as Hex,
  settlement: vectors.domain.settlement as Hex,
  projectId: BigInt(vectors.domain.projectId),
}

describe('the committed vectors', () => {
  it('are those that circomlibjs and viem give', async () => {
    expect(await referenceVectors()).toEqual(vectors)
  }, 60_000)
})

describe('hashes', () => {
  it.each(vectors.poseidon)('Poseidon of $inputs.length inputs is circomlib’s', ({ inputs, hash }) => {
    expect(poseidon(integers(inputs))).toBe(BigInt(hash))
  })

  it.each(vectors.sponge)('sponge over $length words', ({ tag, length, hash }) => {
    const words = Array.from({ length: Number(length) }, (_, i) => BigInt(i + 1))
    expect(sponge(BigInt(tag), words)).toBe(BigInt(hash))
  })

  it('Poseidon refuses no inputs and more than 16', () => {
    expect(() => poseidon([])).toThrow('1 to 16')
    expect(() => poseidon(new Array(17).fill(0n))).toThrow('1 to 16')
  })
})

describe('signatures', () => {
  it.each(vectors.signatures)('are circomlibjs’ byte for byte: message $message', (vector) => {
    const secretKey = hexToBytes(vector.secretKey)
    expect(publicKey(secretKey)).toEqual(key(vector.key))
    expect(sign(secretKey, BigInt(vector.message))).toEqual(signature(vector.signature))
    expect(createVerifier(key(vector.key)).verify(BigInt(vector.message), signature(vector.signature))).toBe(true)
  })
})

describe('a frame', () => {
  const { frame } = vectors
  const layout = frame.layout as Layout
  const format = frameFormat(layout, frame.frameSize)
  const readings = frame.readings.map((reading) =>
    encodeRecord(layout, Object.fromEntries(Object.entries(reading).map(([name, value]) => [name, BigInt(value)]))),
  )
  const unsigned = { deviceId: BigInt(frame.deviceId), sequence: BigInt(frame.sequence), readings }
  const expected = { ...unsigned, signature: signature(frame.signature) }

  it('has the layoutId, readingsHash and messageHash of the definition', () => {
    expect(layoutId(layout, frame.frameSize)).toBe(BigInt(frame.layoutId))
    expect(readingsHash(format, readings)).toBe(BigInt(frame.readingsHash))
    expect(messageHash(format, deviceDomain(domain), unsigned)).toBe(BigInt(frame.messageHash))
  })

  it('is signed, encoded and decoded as defined', () => {
    expect(signFrame(format, deviceDomain(domain), unsigned, hexToBytes(frame.secretKey))).toEqual(expected)
    expect(bytesToHex(encodeFrame(format, expected))).toBe(frame.bytes)
    expect(decodeFrame(format, hexToBytes(frame.bytes))).toEqual(expected)
    expect(readings.map((raw) => decodeRecord(layout, raw))).toEqual(
      frame.readings.map(({ timeSec, celsius, open }) => ({ timeSec: BigInt(timeSec), celsius: BigInt(celsius), open: BigInt(open) })), // prettier-ignore
    )
  })
})

describe('commitments', () => {
  it('the ledger page', () => {
    const { ledger } = vectors
    const layout = ledger.layout as Layout
    const page = { sequences: integers(ledger.sequences), states: ledger.states.map(integers) }
    expect(sequencesHash(page.sequences)).toBe(BigInt(ledger.sequencesHash))
    expect(statesHash(layout, page.states)).toBe(BigInt(ledger.statesHash))
    expect(ledgerHash(layout, page)).toBe(BigInt(ledger.ledger))
    expect(ledgerHash([], { ...page, states: page.states.map(() => []) })).toBe(BigInt(ledger.stateless))
  })

  it('the batch, the identities and the config', () => {
    expect(batchRoot(integers(vectors.batch.hashes))).toBe(BigInt(vectors.batch.root))
    const { identity, config } = vectors
    expect(deviceLeaf(key(identity.key), BigInt(identity.deviceId))).toBe(BigInt(identity.leaves[0]!))
    expect(identityRoot(integers(identity.leaves))).toBe(BigInt(identity.root))
    expect(configHash(vectors.ledger.layout as Layout, integers(config.record))).toBe(BigInt(config.hash))
    expect(configHash([], [])).toBe(BigInt(config.empty))
  })

  it('deviceDomain, binding and anchor are keccak256 over abi.encode', () => {
    expect(deviceDomain(domain)).toBe(BigInt(vectors.domain.deviceDomain))
    const { binding: bound, anchor } = vectors
    const place = {
      version: Number(bound.version),
      cohort: Number(bound.cohort),
      batchNumber: BigInt(bound.batchNumber),
    }
    expect(binding(domain, { ...place, payee: bound.payee as Hex })).toBe(BigInt(bound.binding))
    const fields = {
      batchRoot: BigInt(anchor.batchRoot),
      identityRoot: BigInt(anchor.identityRoot),
      configHash: BigInt(anchor.configHash),
      version: Number(anchor.version),
      anchorTime: BigInt(anchor.anchorTime),
      daPointer: anchor.daPointer as Hex,
    }
    expect(anchorHash(fields)).toBe(anchor.hash)
  })

  it('lanes and task id', () => {
    expect(packLanes(integers(vectors.lanes.units))).toEqual(integers(vectors.lanes.lanes))
    expect(unpackLanes(integers(vectors.lanes.lanes))).toEqual(integers(vectors.lanes.units))
    const { projectId, version, cohort, batchRoot: root, daPointer, taskId: id } = vectors.task
    const task = {
      projectId: BigInt(projectId),
      version: Number(version),
      cohort: Number(cohort),
      batchRoot: BigInt(root),
    }
    expect(taskId({ ...task, daPointer: daPointer as Hex })).toBe(id)
  })
})

describe('a receipt', () => {
  it('is parsed, written again the same, and names its anchor', () => {
    const receipt = parseReceipt(vectors.receipt)
    expect(encodeReceipt(receipt)).toEqual(vectors.receipt)
    expect(anchorHash(receiptAnchor({ ...receipt, version: Number(vectors.anchor.version) }))).toBe(vectors.anchor.hash)
  })
})
