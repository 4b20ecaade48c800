// What a verification costs with our contract, with one generated for a single key, and with snarkjs', on one chain with real proofs of
// the same key. Nothing is left to chance: signals and proofs have no zero byte, which in calldata would be cheaper than others.

import { setTimeout } from 'node:timers/promises'
import { createPublicClient, createWalletClient, encodeFunctionData, http, type Abi, type Hex } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { foundry } from 'viem/chains'
import { contractArtifacts } from '../contracts/build.ts'
import { startAnvil, type Anvil } from '../engine/chain/anvil.ts'
import { hexToBytes } from '../engine/core/codec.ts'
import { journalProver, type JournalProver } from '../test/contracts/journal-prover.ts'
import { perAppletVerifier, snarkjsVerifier } from './verifiers.ts'

export type SideBySide = Record<
  | `verify.${'ours' | 'perApplet' | 'snarkjs' | 'snarkjs.signals67'}`
  | `deploy.${'ours.verifier' | 'ours.key' | 'perApplet' | 'snarkjs'}`,
  number
>

/** 8 + D/4: D=16 has twelve. */
const COHORT_SIZE = 16
/** W3bstream publishes a circuit of 67 public signals, one device a proof; 8 + 236/4 = 67. */
const W3BSTREAM_COHORT_SIZE = 236
/** An estimate would find how little gas snarkjs' verifier needs to answer no: it succeeds then as well. */
const GAS_LIMIT = 5_000_000n
const RECEIPT_TIMEOUT_MS = 60_000
const POLL_MS = 10
const CONSTRUCTOR = '600b380380600b5f395ff3'

/** The chain of `anvil`, or one of its own. */
export async function measureVerifiers(anvil?: Anvil): Promise<SideBySide> {
  if (anvil) return measureOn(anvil)
  const own = await startAnvil()
  try {
    return await measureOn(own)
  } finally {
    await own.close()
  }
}

/**
 * Gas for one device's part of one batch, anchor included, beside W3bstream's shape: one proof of 67 signals for each device.
 * `gas` as in contracts/gas.snapshot.json.
 */
export function perDevice(gas: SettlementGas, verifiers: SideBySide): { shape: string; gas: number; times: number }[] {
  const alone = verifiers['verify.snarkjs.signals67']
  const row = (shape: string, total: number, devices: number) => {
    return { shape, gas: Math.round(total / devices), times: Math.round((10 * alone * devices) / total) / 10 }
  }
  return [
    row('snarkjs, 67 signals, one device a proof', alone, 1),
    row('one receipt, 16 devices', gas['gas.settle.D16'] + gas['gas.anchor'], 16),
    row('16 receipts, 16 devices each', gas['gas.settleMany16.D16'] + gas['gas.anchorMany16'], 16),
  ]
}

export type SettlementGas = Record<
  'gas.settle.D16' | 'gas.settleMany16.D16' | 'gas.anchor' | 'gas.anchorMany16',
  number
>

/**
 * Gas of whole transactions. verify.*: one proof of 12 signals, or of 67 where named. deploy.ours.verifier is paid once for all
 * applets, deploy.ours.key for each, deploy.perApplet and deploy.snarkjs for each.
 */
async function measureOn(anvil: Anvil): Promise<SideBySide> {
  const chain = connect(anvil)
  const prover = await journalProver(COHORT_SIZE)
  const { signals, words } = await provenSignals(prover, 8 + COHORT_SIZE / 4)

  const { abi, bytecode } = contractArtifacts().Groth16Verifier
  const ours = await chain.create(`0x${bytecode}`)
  const key = await chain.create(`0x${CONSTRUCTOR}00${prover.verifyingKey.slice(2)}`)
  const proof: Hex = `0x${words.map((word) => word.slice(2)).join('')}`
  const verifyOurs = await chain.call(ours.address, abi, 'verify', [key.address, signals, proof])

  const generated = perAppletVerifier(prover.verifyingKey)
  const perApplet = await chain.create(generated.bytecode)
  const verifyPerApplet = await chain.call(perApplet.address, generated.abi, 'verify', [signals, words])

  const snarkjs = await measureSnarkjs(chain, prover, signals, words)
  const wide = await journalProver(W3BSTREAM_COHORT_SIZE)
  const proven = await provenSignals(wide, 8 + W3BSTREAM_COHORT_SIZE / 4)
  const w3bstream = await measureSnarkjs(chain, wide, proven.signals, proven.words)
  return {
    'verify.ours': verifyOurs,
    'verify.perApplet': verifyPerApplet,
    'verify.snarkjs': snarkjs.verify,
    'verify.snarkjs.signals67': w3bstream.verify,
    'deploy.ours.verifier': ours.gas,
    'deploy.ours.key': key.gas,
    'deploy.perApplet': perApplet.gas,
    'deploy.snarkjs': snarkjs.deploy,
  }
}

type Connection = ReturnType<typeof connect>

function connect(anvil: Anvil) {
  const transport = http(anvil.rpcUrl)
  const publicClient = createPublicClient({ chain: foundry, transport, pollingInterval: 10 })
  const account = privateKeyToAccount(anvil.accounts[0]!.privateKey)
  const walletClient = createWalletClient({ chain: foundry, transport, account })

  /** A node may announce a block before its receipts, so what is asked for is the receipt itself. */
  async function mined(hash: Hex) {
    const deadlineMs = performance.now() + RECEIPT_TIMEOUT_MS
    while (performance.now() < deadlineMs) {
      const receipt = await publicClient.getTransactionReceipt({ hash }).catch(() => undefined)
      if (receipt) return receipt
      await setTimeout(POLL_MS)
    }
    throw new Error(`transaction ${hash} was not mined`)
  }
  async function send(transaction: { to?: Hex; data: Hex }) {
    const hash = await walletClient.sendTransaction({ ...transaction, gas: GAS_LIMIT })
    const receipt = await mined(hash)
    if (receipt.status !== 'success') throw new Error(`transaction ${hash} failed`)
    return receipt
  }
  async function create(data: Hex): Promise<{ address: Hex; gas: number }> {
    const { contractAddress, gasUsed } = await send({ data })
    return { address: contractAddress!, gas: Number(gasUsed) }
  }
  /** Gas of a transaction that only verifies. A verifier that answers must answer yes. */
  async function call(to: Hex, abi: Abi, functionName: string, args: readonly unknown[]): Promise<number> {
    const answer = await publicClient.readContract({ address: to, abi, functionName, args })
    if (answer === false) throw new Error('the proof was refused')
    return Number((await send({ to, data: encodeFunctionData({ abi, functionName, args }) })).gasUsed)
  }
  return { create, call }
}

async function measureSnarkjs(
  chain: Connection,
  prover: JournalProver,
  signals: readonly bigint[],
  words: readonly Hex[],
): Promise<{ verify: number; deploy: number }> {
  const { abi, bytecode } = await snarkjsVerifier(prover.zkey)
  const { address, gas } = await chain.create(bytecode)
  const [ax, ay, bx1, bx0, by1, by0, cx, cy] = words
  const b = [
    [bx1, bx0],
    [by1, by0],
  ]
  const verify = await chain.call(address, abi, 'verifyProof', [[ax, ay], b, [cx, cy], signals])
  return { verify, deploy: gas }
}

async function provenSignals(prover: JournalProver, count: number) {
  const signals = Array.from({ length: count }, (_, i) =>
    BigInt(`0x1${'1'.repeat(59)}${(0x1111 + (i % 15)).toString(16)}`),
  )
  let seal: Hex
  do seal = await prover.proveSignals(signals)
  while (hexToBytes(seal).subarray(4).includes(0))
  const words = Array.from({ length: 8 }, (_, i): Hex => `0x${seal.slice(10 + 64 * i, 74 + 64 * i)}`)
  return { signals, words }
}
