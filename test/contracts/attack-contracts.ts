// Contracts of attackers, compiled when a test needs them: a wallet that owns devices and signs by ERC-1271, well or badly, and a
// reward token that fails in every way.

import { createWalletClient, encodeFunctionData, getAddress, http } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { foundry } from 'viem/chains'
import type { Hex } from '../../engine/core/codec.ts'
import { mined } from './attack-calls.ts'
import { compileSolidity, type CompiledContract } from './solidity.ts'
import type { Stage } from './stage.ts'

export const MODE = { good: 0n, refuses: 1n, reverts: 2n, bombs: 3n, burnsGas: 4n, returnsNothing: 5n } as const

const SOURCE = `// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

abstract contract Moody {
    uint256 public mode;
    function setMode(uint256 mode_) external { mode = mode_; }

    /// Ends the call unless the mode is good or a refusal.
    function misbehave() internal view {
        if (mode == 2) revert("no");
        if (mode == 3) assembly { return(0, 400000) }
        if (mode == 4) while (true) {}
        if (mode == 5) assembly { return(0, 0) }
    }
}

contract Wallet is Moody {
    address public target;
    bytes public again;
    bool public answered;
    bytes public answer;

    function execute(address to, bytes calldata data) external returns (bytes memory) {
        (bool done, bytes memory result) = to.call(data);
        if (!done) assembly { revert(add(result, 32), mload(result)) }
        return result;
    }

    /// What to call when a token arrives.
    function reenter(address to, bytes calldata data) external { (target, again) = (to, data); }

    function isValidSignature(bytes32 digest, bytes calldata signature) external view returns (bytes4) {
        misbehave();
        bool signed = mode == 0 && keccak256(signature) == keccak256(abi.encodePacked("signed", digest));
        return signed ? bytes4(0x1626ba7e) : bytes4(0xffffffff);
    }

    function onERC721Received(address, address, uint256, bytes calldata) external returns (bytes4) {
        misbehave();
        if (target != address(0)) (answered, answer) = target.call(again);
        return 0x150b7a02;
    }

    fallback() external payable { misbehave(); }
}

contract BadToken is Moody {
    mapping(address => uint256) public balanceOf;

    function mint(address to, uint256 amount) external { balanceOf[to] += amount; }
    function approve(address, uint256) external pure returns (bool) { return true; }
    function transfer(address to, uint256 amount) external returns (bool) { return move(msg.sender, to, amount); }
    function transferFrom(address from, address to, uint256 amount) external returns (bool) { return move(from, to, amount); }

    function move(address from, address to, uint256 amount) private returns (bool) {
        if (mode != 5) misbehave();
        if (mode == 1) return false;
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
        if (mode == 5) misbehave();
        return true;
    }
}`

export interface Deployed {
  readonly address: Hex
  /** Sends a call of the contract's own. */
  write(functionName: string, ...args: readonly unknown[]): Promise<void>
  read(functionName: string): Promise<unknown>
  encode(functionName: string, ...args: readonly unknown[]): Hex
}

/** Compiles both and puts them on the stage's chain. */
export async function deployHostile(stage: Stage): Promise<{ wallet: Deployed; token: Deployed }> {
  const compiled = compileSolidity(SOURCE)
  return { wallet: await put(stage, compiled.Wallet!), token: await put(stage, compiled.BadToken!) }
}

async function put(stage: Stage, { abi, bytecode }: CompiledContract): Promise<Deployed> {
  const { anvil, publicClient } = stage
  const account = privateKeyToAccount(stage.keys[0]!)
  const wallet = createWalletClient({ account, chain: { ...foundry, id: anvil.chainId }, transport: http(anvil.rpcUrl) })
  const deployed = await mined(stage, await wallet.deployContract({ abi, bytecode }))
  const address = getAddress(deployed.contractAddress!)
  return {
    address,
    write: async (functionName, ...args) => void (await mined(stage, await wallet.writeContract({ address, abi, functionName, args }))),
    read: (functionName) => publicClient.readContract({ address, abi, functionName }),
    encode: (functionName, ...args) => encodeFunctionData({ abi, functionName, args }),
  }
} // prettier-ignore
