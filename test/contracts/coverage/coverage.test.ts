// The coverage tool on a small contract of which is known what was reached. The run over all contracts is `npm run coverage:contracts`.

import { createRequire } from 'node:module'
import { createPublicClient, createWalletClient, http, type Abi, type Hex } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { foundry } from 'viem/chains'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { importer } from '../../../contracts/build.ts'
import { startAnvil, type Anvil } from '../../../engine/chain/anvil.ts'
import { mined } from '../attack-calls.ts'
import type { Stage } from '../stage.ts'
import { instrument } from './instrument.ts'
import { startRecorder, type Recorder } from './recorder.ts'
import { coverageByFile, percentCovered, renderCoverage } from './report.ts'

const SOURCE = `// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// · a character of two bytes
contract Small {
    uint256 public value;
    constructor(uint256 first) {
        if (first != 0) value = first;
    }
    modifier below(uint256 limit) {
        require(value < limit, "too large");
        _;
    }
    function add(uint256 some, bool twice) external below(100) {
        if (some > 10 || twice) revert("refused");
        else value += some;
        for (uint256 i = 0; i < 2; i++) if (i == 5) value--;
    }
    function size(uint256 some) external pure returns (string memory) {
        return some > 3 ? "large" : "small";
    }
    function unused() external { unchecked { value--; } }
    function tries() external returns (bool) {
        try this.unused() { return true; }
        catch { return false; }
    }
}`

describe('coverage of contracts', () => {
  let anvil: Anvil
  let recorder: Recorder
  const read = (path: string) => {
    if (path !== 'Small.sol') throw new Error(`no ${path}`)
    return SOURCE
  }
  const instrumented = instrument(['Small.sol'], read)

  beforeAll(async () => {
    anvil = await startAnvil()
    recorder = await startRecorder(anvil.rpcUrl)
  })
  afterAll(async () => {
    await recorder?.close()
    await anvil?.close()
  })

  it('tells what a constructor, a transaction, a call and a refusal reached, and nothing else', async () => {
    const transport = http(recorder.rpcUrl)
    const publicClient = createPublicClient({ chain: foundry, transport, pollingInterval: 10 })
    const account = privateKeyToAccount(anvil.accounts[0]!.privateKey)
    const walletClient = createWalletClient({ chain: foundry, transport, account })
    const { abi, bytecode } = compileSmall()
    const received = (hash: Hex) => mined({ publicClient } as Stage, hash)
    const created = await received(await walletClient.deployContract({ abi, bytecode, args: [1n] }))
    const contract = { address: created.contractAddress!, abi }

    await received(await walletClient.writeContract({ ...contract, functionName: 'add', args: [5n, false] }))
    expect(await publicClient.readContract({ ...contract, functionName: 'size', args: [2n] })).toBe('small')
    await expect(publicClient.simulateContract({ ...contract, functionName: 'add', args: [5n, true] })).rejects.toThrow(
      'refused',
    )

    const [small] = coverageByFile(instrumented.points, recorder.reached)
    expect(small!.missing).toEqual([
      '8: first != 0 → false',
      '11: value < limit → false',
      '15: some > 10 → true',
      '17: value--',
      '17: i == 5 → true',
      '20: some > 3 → true',
      '22: value--',
      '24: try this.unused() { return true; } catch { return false; }',
      '24: { return true; }',
      '24: return true',
      '25: catch { return false; }',
      '25: return false',
    ])
    expect(small!.lines).toEqual({ covered: 6, all: 10 })
    expect(small!.branches).toEqual({ covered: 9, all: 16 })
    expect(percentCovered(small!)).toBe(56.25)
    expect(renderCoverage([small!])).toContain('Small.sol:20: some > 3 → true')
  })

  function compileSmall(): { abi: Abi; bytecode: Hex } {
    const solc = createRequire(import.meta.url)('solc') as { compile(input: string, callbacks: object): string }
    const settings = { outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object'] } } }
    const sources = { 'Small.sol': { content: instrumented.read('Small.sol') } }
    const input = JSON.stringify({ language: 'Solidity', sources, settings })
    const output = JSON.parse(solc.compile(input, { import: importer(instrumented.read) })) as {
      contracts: Record<string, Record<string, { abi: Abi; evm: { bytecode: { object: string } } }>>
    }
    const { abi, evm } = output.contracts['Small.sol']!.Small!
    return { abi, bytecode: `0x${evm.bytecode.object}` }
  }
})
