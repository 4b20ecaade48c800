// A wallet that is a contract: two people own it, both sign (ERC-1271), either executes. A double of real wallets, whose
// code and ways of signing differ; what the contracts under test see of one is the same.

import { concatHex, encodeDeployData, encodeFunctionData, getAddress, type Hex } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { compileSolidity } from './solidity.ts'
import type { Stage } from './stage.ts'

const SOURCE = `// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

contract SmartWallet {
    address[2] public owners;
    bool public takesTokens = true;
    bool public broken;

    constructor(address first, address second) { owners = [first, second]; }

    modifier onlyOwner() {
        require(msg.sender == owners[0] || msg.sender == owners[1], "not an owner");
        _;
    }

    function setOwner(uint256 index, address owner) external onlyOwner { owners[index] = owner; }
    function setTakesTokens(bool takes) external onlyOwner { takesTokens = takes; }
    function setBroken(bool broken_) external onlyOwner { broken = broken_; }

    function execute(address target, bytes calldata data) external onlyOwner {
        (bool done, bytes memory answer) = target.call(data);
        if (!done) assembly { revert(add(answer, 32), mload(answer)) }
    }

    function isValidSignature(bytes32 hash, bytes calldata signatures) external view returns (bytes4) {
        require(!broken, "broken");
        if (signatures.length != 130) return 0xffffffff;
        for (uint256 i = 0; i < 2; i++) {
            bytes calldata one = signatures[65 * i:65 * (i + 1)];
            if (ecrecover(hash, uint8(one[64]), bytes32(one), bytes32(one[32:64])) != owners[i]) return 0xffffffff;
        }
        return 0x1626ba7e;
    }

    function onERC721Received(address, address, uint256, bytes calldata) external view returns (bytes4) {
        return takesTokens ? this.onERC721Received.selector : bytes4(0);
    }
}`

export interface SmartWallet {
  readonly address: Hex
  /** A transaction that the wallet's first owner has it send. */
  execute(target: Hex, data: Hex): Promise<void>
  set(functionName: 'setOwner' | 'setTakesTokens' | 'setBroken', args: readonly unknown[]): Promise<void>
  /** Both owners' signatures of typed data. */
  sign(typedData: object): Promise<Hex>
}

/** Deploys a wallet of the stage's accounts `first` and `second`. */
export async function deployWallet(stage: Stage, first: number, second: number): Promise<SmartWallet> {
  const { abi, bytecode } = compileSolidity(SOURCE).SmartWallet!
  const { people, keys } = stage
  const data = encodeDeployData({ abi, bytecode, args: [people[first]!, people[second]!] })
  const { contractAddress } = await send(stage, people[first]!, undefined, data)
  const address = getAddress(contractAddress!)
  const call = async (functionName: string, args: readonly unknown[]): Promise<void> => {
    await send(stage, people[first]!, address, encodeFunctionData({ abi, functionName, args }))
  }
  return {
    address,
    execute: (target, data) => call('execute', [target, data]),
    set: call,
    async sign(typedData) {
      const owners = [keys[first]!, keys[second]!].map((key) => privateKeyToAccount(key))
      return concatHex(await Promise.all(owners.map((owner) => owner.signTypedData(typedData as never))))
    },
  }
}

/** Throws what the node says of a transaction that would revert. */
async function send({ publicClient, testClient }: Stage, from: Hex, to: Hex | undefined, data: Hex) {
  if (to) await publicClient.call({ account: from, to, data })
  const params = [{ from, ...(to && { to }), data }]
  const hash = (await testClient.request({ method: 'eth_sendTransaction', params } as never)) as Hex
  const receipt = await publicClient.waitForTransactionReceipt({ hash })
  if (receipt.status !== 'success') throw new Error(`a transaction of ${from} reverted when mined`)
  return receipt
}
