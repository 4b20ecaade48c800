// Our Solidity verifier on a chain of its own, for proofs of any circuit.

import { createPublicClient, createTestClient, createWalletClient, http } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { foundry } from 'viem/chains'
import { groth16VerifierAbi } from '../../../contracts/abi.ts'
import { contractArtifacts } from '../../../contracts/build.ts'
import { startAnvil } from '../../../engine/chain/anvil.ts'
import { onChain } from '../../../engine/chain/reverts.ts'
import { bytesToHex, type Hex } from '../../../engine/core/codec.ts'
import { encodeSeal, type Groth16Proof } from '../../../engine/core/seal.ts'
import { encodeVerifyingKey, verifyingKeyHash, type VerifyingKey } from '../../../engine/core/verifying-key.ts'

const SELECTOR_CHARS = 2 + 8

export interface ContractVerifier {
  /** Throws the contract's error if it refuses the proof. */
  verify(key: VerifyingKey, publicSignals: readonly string[], proof: Groth16Proof): Promise<void>
  close(): Promise<void>
}

export async function startContractVerifier(): Promise<ContractVerifier> {
  const anvil = await startAnvil()
  const options = { chain: foundry, transport: http(anvil.rpcUrl), pollingInterval: 10 }
  const client = createPublicClient(options)
  const test = createTestClient({ ...options, mode: 'anvil' })
  const account = privateKeyToAccount(anvil.accounts[0]!.privateKey)
  const data: Hex = `0x${contractArtifacts().Groth16Verifier.bytecode}`
  const hash = await createWalletClient({ ...options, account }).sendTransaction({ data })
  const { contractAddress } = await client.waitForTransactionReceipt({ hash })
  return {
    async verify(key, publicSignals, proof) {
      const encoded = encodeVerifyingKey(key)
      const vkHash = verifyingKeyHash(encoded)
      const keyAccount: Hex = `0x${vkHash.slice(-40)}`
      await test.setCode({ address: keyAccount, bytecode: `0x00${bytesToHex(encoded).slice(2)}` })
      const seal: Hex = `0x${encodeSeal(vkHash, proof).slice(SELECTOR_CHARS)}`
      const args = [keyAccount, publicSignals.map(BigInt), seal] as const
      const call = { address: contractAddress!, abi: groth16VerifierAbi, functionName: 'verify', args } as const
      await onChain('verify', () => client.readContract(call))
    },
    close: () => anvil.close(),
  }
}
