// Contracts that only tests and measurements need, compiled when they are needed.

import { createRequire } from 'node:module'
import type { Abi } from 'viem'
import type { Hex } from '../../engine/core/codec.ts'

export interface CompiledContract {
  readonly abi: Abi
  readonly bytecode: Hex
}

/**
 * The contracts of a source without imports, by name; `settings` are the compiler's, by default without optimiser. Throws what the
 * compiler says if it makes none.
 */
export function compileSolidity(source: string, settings: object = {}): Record<string, CompiledContract> {
  const solc = createRequire(import.meta.url)('solc') as { compile(input: string): string }
  const all = { evmVersion: 'cancun', ...settings, outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object'] } } }
  const input = { language: 'Solidity', sources: { 'test.sol': { content: source } }, settings: all }
  const { contracts, errors } = JSON.parse(solc.compile(JSON.stringify(input))) as {
    contracts?: Record<string, Record<string, { abi: Abi; evm: { bytecode: { object: string } } }>>
    errors?: { severity: string; formattedMessage: string }[]
  }
  const problem = errors?.find(({ severity }) => severity === 'error')
  if (problem) throw new Error(problem.formattedMessage)
  const compiled = Object.entries(contracts!['test.sol']!)
  return Object.fromEntries(
    compiled.map(([name, { abi, evm }]) => [name, { abi, bytecode: `0x${evm.bytecode.object}` }]),
  )
}
