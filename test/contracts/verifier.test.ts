import { encodeFunctionData, type Hex } from 'viem'
import { buildPoseidon } from 'circomlibjs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { groth16VerifierAbi } from '../../contracts/abi.ts'
import { contractArtifacts } from '../../contracts/build.ts'
import { onChain } from '../../engine/chain/reverts.ts'
import { hexToBytes, integerToHex } from '../../engine/core/codec.ts'
import { FIELD_ORDER } from '../../engine/core/field.ts'
import { journalProver, type JournalProver } from './journal-prover.ts'
import { createStage, type Stage } from './stage.ts'

const Q = 21888242871839275222246405745257275088696311157297823662689037894645226208583n

describe.each([4, 16])('the verifier with the signals of D=%i', (cohortSize) => {
  let stage: Stage
  let prover: JournalProver
  let key: Hex
  let proof: Hex
  const signals = Array.from({ length: 8 + cohortSize / 4 }, (_, i) => (i === 0 ? 0n : FIELD_ORDER - BigInt(i)))

  beforeAll(async () => {
    stage = await createStage({ cohortSize })
    prover = stage.prover
    key = (await stage.chain.getVersion(stage.projectId, 1)).keyAccount
    proof = withoutSelector(await prover.proveSignals(signals))
  })
  afterAll(() => stage?.close())

  const verify = (values: readonly bigint[], bytes: Hex, account: Hex = key, gas?: bigint) =>
    onChain('verify', async () => {
      const data = encodeFunctionData({
        abi: groth16VerifierAbi,
        functionName: 'verify',
        args: [account, values, bytes],
      })
      await stage.publicClient.call({ to: stage.addresses.verifier, data, ...(gas === undefined ? {} : { gas }) })
    })

  it('accepts a true proof, smallest and largest signals included', async () => {
    await verify(signals, proof)
    await verify(signals, withoutSelector(await prover.proveSignals(signals)))
  })

  it('refuses each signal altered, and each by r or more', async () => {
    for (let i = 0; i < signals.length; i++) {
      await expect(verify(with_(signals, i, (signals[i]! + 1n) % FIELD_ORDER), proof)).rejects.toThrow('ProofInvalid')
      await expect(verify(with_(signals, i, signals[i]! + FIELD_ORDER), proof)).rejects.toThrow(`SignalOutOfField(${i}`)
    }
    await expect(verify(with_(signals, 0, 2n ** 256n - 1n), proof)).rejects.toThrow('SignalOutOfField(0')
  })

  it('refuses signals missing, added or in another order', async () => {
    await expect(verify(signals.slice(1), proof)).rejects.toThrow('KeyMismatch')
    await expect(verify([...signals, 0n], proof)).rejects.toThrow('KeyMismatch')
    await expect(verify([...signals].reverse(), proof)).rejects.toThrow('ProofInvalid')
  })

  it('refuses coordinates of q or more, on each place', async () => {
    for (let i = 0; i < 8; i++) {
      const word = coordinate(proof, i)
      await expect(verify(signals, withCoordinate(proof, i, word + Q))).rejects.toThrow(`CoordinateOutOfField(${i}`)
      await expect(verify(signals, withCoordinate(proof, i, Q))).rejects.toThrow(`CoordinateOutOfField(${i}`)
      await expect(verify(signals, withCoordinate(proof, i, (word + 1n) % Q))).rejects.toThrow('ProofInvalid')
    }
  })

  it('C-01 refuses calldata that is longer than its arguments, or cut short', async () => {
    const data = encodeVerify(key, signals, proof)
    const call = (bytes: Hex) =>
      onChain('verify', () => stage.publicClient.call({ to: stage.addresses.verifier, data: bytes }))
    await call(data)
    await expect(call(`${data}00`)).rejects.toThrow('CalldataLength')
    await expect(call(`${data}${'00'.repeat(32)}`)).rejects.toThrow('CalldataLength')
    await expect(call(data.slice(0, -2) as Hex)).rejects.toThrow('without a reason')
  })

  it('C-09 refuses a proof of another length, of zeros, and under another key or none', async () => {
    await expect(verify(signals, proof.slice(0, -2) as Hex)).rejects.toThrow('ProofLength(255, 256)')
    await expect(verify(signals, `${proof}00`)).rejects.toThrow('ProofLength(257, 256)')
    await expect(verify(signals, `0x${'00'.repeat(256)}`)).rejects.toThrow('ProofInvalid')
    await expect(verify(signals, proof, stage.stranger)).rejects.toThrow('KeyMismatch')
    const other = await journalProver(cohortSize, 'another')
    await expect(verify(signals, withoutSelector(await other.proveSignals(signals)))).rejects.toThrow('ProofInvalid')
  })

  it('C-07 loses no more than a bounded share of the gas on a point off the curve', async () => {
    const bad = withCoordinate(proof, 1, (coordinate(proof, 1) + 1n) % Q)
    const gasUsed = await minedGas(encodeVerify(key, signals, bad))
    expect(gasUsed).toBeLessThan(600_000n)
  })

  const encodeVerify = (account: Hex, values: readonly bigint[], bytes: Hex): Hex =>
    encodeFunctionData({ abi: groth16VerifierAbi, functionName: 'verify', args: [account, values, bytes] })

  /** Gas of a transaction mined although it reverts, with 15 million to burn. */
  async function minedGas(data: Hex): Promise<bigint> {
    const { testClient, publicClient, operator, addresses } = stage
    const gas = 15_000_000n
    const hash = await testClient.request({
      method: 'eth_sendTransaction',
      params: [{ from: operator, to: addresses.verifier, data, gas: `0x${gas.toString(16)}` }],
    } as never)
    const receipt = await publicClient.waitForTransactionReceipt({ hash: hash as Hex })
    expect(receipt.status).toBe('reverted')
    return receipt.gasUsed
  }
})

describe('the Poseidon libraries', () => {
  let stage: Stage
  beforeAll(async () => (stage = await createStage()))
  afterAll(() => stage?.close())

  it.each([
    ['PoseidonT3', 2],
    ['PoseidonT4', 3],
  ] as const)('%s equals circomlib', async (name, arity) => {
    const hash = await buildPoseidon()
    const address = name === 'PoseidonT3' ? stage.addresses.poseidonT3 : stage.addresses.poseidonT4
    const { abi } = contractArtifacts()[name]
    const edges = [0n, 1n, FIELD_ORDER - 1n, 2n ** 253n, 12345678901234567890n]
    for (let i = 0; i < 20; i++) {
      const inputs = Array.from({ length: arity }, (_, j) => edges[(i * (j + 1) + j) % 5]! ^ BigInt(i >> 2))
      const actual = await stage.publicClient.readContract({ address, abi, functionName: 'hash', args: [inputs] })
      expect(actual).toBe(hash.F.toObject(hash(inputs.map((value) => value % FIELD_ORDER))))
    }
  })
})

function withoutSelector(seal: Hex): Hex {
  return `0x${seal.slice(10)}`
}

function coordinate(proof: Hex, index: number): bigint {
  return BigInt(`0x${proof.slice(2 + 64 * index, 66 + 64 * index)}`)
}

function withCoordinate(proof: Hex, index: number, value: bigint): Hex {
  expect(hexToBytes(proof)).toHaveLength(256)
  return `0x${proof.slice(2, 2 + 64 * index)}${integerToHex(value, 32).slice(2)}${proof.slice(66 + 64 * index)}`
}

function with_(values: readonly bigint[], index: number, value: bigint): bigint[] {
  return values.map((old, i) => (i === index ? value : old))
}
