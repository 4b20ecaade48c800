// Contracts that only tests need, compiled when a test needs them.

import { createRequire } from 'node:module'
import type { Abi } from 'viem'
import type { Hex } from '../../engine/core/codec.ts'

export interface CompiledContract {
  readonly abi: Abi
  readonly bytecode: Hex
}

/** The contracts of a source without imports, by name. Throws what the compiler says if there are none. */
export function compileSolidity(source: string): Record<string, CompiledContract> {
  const solc = createRequire(import.meta.url)('solc') as { compile(input: string): string }
  const settings = { evmVersion: 'cancun', outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object'] } } }
  const input = { language: 'Solidity', sources: { 'test.sol': { content: source } }, settings }
  const { contracts, errors } = JSON.parse(solc.compile(JSON.stringify(input))) as {
    contracts?: Record<string, Record<string, { abi: Abi; evm: { bytecode: { object: string } } }>>
    errors?: { formattedMessage: string }[]
  }
  if (!contracts) throw new Error((errors ?? []).map(({ formattedMessage }) => formattedMessage).join('\n'))
  const compiled = Object.entries(contracts['test.sol']!)
  return Object.fromEntries(
    compiled.map(([name, { abi, evm }]) => [name, { abi, bytecode: `0x${evm.bytecode.object}` }]),
  )
}
