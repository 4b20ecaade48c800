// Attacks by contracts: wallets that own devices and sign by ERC-1271, reward tokens and payees that revert, burn gas, return too
// much or call back; and attacks on the money that need no contract.

import { encodeFunctionData, encodePacked, hashTypedData, keccak256 } from 'viem'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { deviceRegistryAbi, groth16VerifierAbi, rewardTokenAbi, settlementAbi } from '../../contracts/abi.ts'
import type { SettledReceipt } from '../../engine/chain/writes.ts'
import type { Hex } from '../../engine/core/codec.ts'
import { integerToHex } from '../../engine/core/codec.ts'
import { Q, joined, proofWords, mined, rewound, sendRaw, settleCall, settleManyCall, tried, triedTogether, withProof, type Call } from './attack-calls.ts' // prettier-ignore
import { claimTypedData } from './claim-order.ts'
import { MODE, deployHostile, type Deployed } from './attack-contracts.ts'
import { createStage, deviceKey, MAX_UNITS, type Stage } from './stage.ts'

const [OWNER, ALICE, BOB, STRANGER] = [1, 3, 4, 5]
const POINTER: Hex = `0x${'d1'.repeat(32)}`
const NOBODY: Hex = `0x${'0'.repeat(40)}`
const BLOCK_GAS = 30_000_000n

let stage: Stage
let wallet: Deployed
let token: Deployed
beforeAll(async () => {
  stage = await createStage({ devices: 2 })
  ;({ wallet, token } = await deployHostile(stage))
})
afterAll(() => stage?.close())

const refusedBy = (error: string) => ({ refused: expect.stringContaining(`${error}(`) as string })
const settlementCall = (functionName: string, ...args: readonly unknown[]): Call => ({
  to: stage.addresses.settlement,
  data: encodeFunctionData({ abi: settlementAbi as never, functionName, args } as never),
})
const devicesCall = (functionName: string, ...args: readonly unknown[]): Call => ({
  to: stage.addresses.devices,
  data: encodeFunctionData({ abi: deviceRegistryAbi as never, functionName, args } as never),
})
const execute = ({ to, data }: Call): Call => ({ to: wallet.address, data: wallet.encode('execute', to, data) })
const send = async (call: Call) => {
  const receipt = await mined(stage, await sendRaw(stage, call))
  return { status: receipt.status, gasUsed: receipt.gasUsed }
}
const domainOf = (verifyingContract: Hex) =>
  ({ name: 'Attestream', version: '1', chainId: stage.anvil.chainId, verifyingContract }) as const
/** What the wallet takes for its own signature. */
const walletSignature = (digest: Hex) => encodePacked(['string', 'bytes32'], ['signed', digest])

async function admittedByWallet(projectId: bigint, owner: Hex, seed: number) {
  const admission = await stage.admission(owner, seed, { projectId })
  const types = { Admission: [
    { name: 'owner', type: 'address' }, { name: 'projectId', type: 'uint256' }, { name: 'keyX', type: 'uint256' },
    { name: 'keyY', type: 'uint256' }, { name: 'metadataURI', type: 'string' }, { name: 'deadline', type: 'uint64' },
  ] } as const // prettier-ignore
  const domain = domainOf(stage.addresses.devices)
  return { admission, digest: hashTypedData({ domain, types, primaryType: 'Admission', message: admission }) }
}

describe('points and groups that burn gas', () => {
  const bent = (seal: Hex, word: number) => withProof(seal, proofWords(seal).map((value, i) => (i === word ? (value + 1n) % Q : value))) // prettier-ignore

  it.each([1, 3, 7])('C-07 a point off the curve (word %i) costs a bounded share, alone and in a group', async (word) => {
    await rewound(stage, async () => {
      const receipts: SettledReceipt[] = []
      for (let i = 0n; i < 4n; i++) {
        const before = i === 0n ? undefined : 10n + i
        receipts.push(await stage.receipt(await stage.anchorNext(i), [1n, 0n, 0n, 0n], 11n + i, stage.operator, before))
      }
      const bad = receipts.map((receipt, i) => (i === 3 ? { ...receipt, seal: bent(receipt.seal, word) } : receipts[i]!))
      const alone = await send({ ...settleCall(stage, { ...bad[0]!, seal: bent(bad[0]!.seal, word) }), gas: BLOCK_GAS / 2n })
      expect(alone.status).toBe('reverted')
      expect(alone.gasUsed).toBeLessThan(650_000n)
      const group = await send({ ...settleManyCall(stage, bad), gas: BLOCK_GAS / 2n })
      expect(group.status).toBe('reverted')
      expect(group.gasUsed).toBeLessThan(2_400_000n)
      const good = await send({ ...settleManyCall(stage, receipts), gas: BLOCK_GAS / 2n })
      expect(good.status).toBe('success')
    })
  }) // prettier-ignore

  it('C-07 a verification short of gas refuses, and accepts nothing that does not hold', async () => {
    const signals = Array.from({ length: 9 }, (_, i) => BigInt(i))
    const { keyAccount } = await stage.chain.getVersion(stage.projectId, 1)
    const words = proofWords(await stage.prover.proveSignals(signals))
    const wrong = words.with(7, Q - words[7]!)
    for (const [proof, holds] of [[words, true], [wrong, false]] as const) {
      for (const functionName of ['verify', 'verifyMany'] as const) {
        const data = encodeFunctionData({ abi: groth16VerifierAbi, functionName, args: [keyAccount, signals, joined(proof)] })
        const limits = Array.from({ length: 15 }, (_, i) => BigInt(i + 1) * 60_000n)
        const calls = limits.map((gas) => ({ to: stage.addresses.verifier, data, gas }))
        const accepted = (await triedTogether(stage, calls)).filter((returned) => returned !== undefined).length
        expect(accepted < limits.length).toBe(true)
        expect(accepted > 0).toBe(holds)
      }
    }
  }) // prettier-ignore
})

describe('wallets that are contracts', () => {
  it('C-05 own devices, sign admissions, rotations and claims by ERC-1271; a refusal or a bad answer is no signature', async () => {
    await rewound(stage, async () => {
      const { chain, terms, addresses } = stage
      const { projectId } = await chain.createProject({ ...terms, admitter: wallet.address })
      const { admission, digest } = await admittedByWallet(projectId, wallet.address, 90)
      const register = devicesCall('register', admission, walletSignature(digest))
      for (const mode of [MODE.refuses, MODE.reverts, MODE.bombs, MODE.returnsNothing]) {
        await wallet.write('setMode', mode)
        expect(await tried(stage, register), `mode ${mode}`).toMatchObject(refusedBy('AdmissionInvalid'))
      }
      await wallet.write('setMode', MODE.good)
      const forged = devicesCall('register', admission, '0x1234')
      expect(await tried(stage, forged)).toMatchObject(refusedBy('AdmissionInvalid'))
      await send(register)
      expect((await chain.getDevice(3n)).owner).toBe(wallet.address)

      const { x: keyX, y: keyY } = deviceKey(91)
      const types = { Rotation: [
        { name: 'deviceId', type: 'uint64' }, { name: 'keyX', type: 'uint256' }, { name: 'keyY', type: 'uint256' },
        { name: 'deadline', type: 'uint64' },
      ] } as const // prettier-ignore
      const message = { deviceId: 3n, keyX, keyY, deadline: admission.deadline }
      const rotation = hashTypedData({ domain: domainOf(addresses.devices), types, primaryType: 'Rotation', message })
      const rotate = devicesCall('rotateKey', 3n, keyX, keyY, message.deadline, walletSignature(rotation))
      expect(await tried(stage, rotate)).toMatchObject(refusedBy('NotDeviceOwner'))
      expect((await send(execute(rotate))).status).toBe('success')
      expect(await chain.deviceOfKey(projectId, deviceKey(91))).toBe(3n)
    })
  })

  it('C-05 are paid by a claim order that they sign, and by none that they do not', async () => {
    await rewound(stage, async () => {
      const { chain } = stage
      await send(devicesCall('register', ...(await bobsAdmissionFor(wallet.address))))
      await chain.settle(await stage.receipt(await stage.anchorNext(), [0n, 0n, 8n, 0n], 1n))
      const { timestamp } = await stage.publicClient.getBlock()
      const order = { owner: wallet.address, to: stage.people[7]!, deviceIds: [3n], nonce: 0n, deadline: timestamp + 60n }
      const digest = hashTypedData(claimTypedData(stage, order))
      const claim = (signature: Hex) => settlementCall('claimFor', order, signature)
      expect(await tried(stage, claim(walletSignature(keccak256(digest))))).toMatchObject(refusedBy('ClaimSignatureInvalid'))
      for (const mode of [MODE.refuses, MODE.reverts, MODE.bombs]) {
        await wallet.write('setMode', mode)
        expect(await tried(stage, claim(walletSignature(digest)))).toMatchObject(refusedBy('ClaimSignatureInvalid'))
      }
      await wallet.write('setMode', MODE.good)
      expect((await send(claim(walletSignature(digest)))).status).toBe('success')
      const paid = await chain.getTokenBalance(stage.addresses.rewardToken, stage.people[7]!)
      expect(paid).toBe(8n * stage.terms.rewardPerUnitWei)
      expect(await tried(stage, claim(walletSignature(digest)))).toMatchObject(refusedBy('InvalidAccountNonce'))
    })
  }) // prettier-ignore

  const bobsAdmissionFor = async (owner: Hex) => {
    const admission = await stage.admission(owner, 95)
    return [admission, await stage.chain.signAdmission(stage.keys[2]!, admission)] as const
  }

  it('C-07 get no call when they are registered or paid a fee, whatever they would do', async () => {
    await rewound(stage, async () => {
      const { chain, projectId } = stage
      await wallet.write('setMode', MODE.burnsGas)
      expect((await send(devicesCall('register', ...(await bobsAdmissionFor(wallet.address))))).status).toBe('success')
      const { version } = await chain.publishVersion(projectId, { ...stage.publication(), feeUnits: 5n }, stage.as(OWNER))
      await chain.activateVersion(projectId, version, stage.as(OWNER))
      const { identityRoot, nextToAnchor: expectedNumber } = await chain.getCohort(projectId, 0)
      const batch = { projectId, cohort: 0, expectedNumber, batchRoot: 1n, identityRoot, daPointer: POINTER, version }
      const { anchor } = await chain.anchor(batch)
      const receipt = await stage.receipt({ number: expectedNumber, anchor }, [1n, 0n, 0n, 0n], 1n, wallet.address)
      const { gasUsed } = await chain.settle(receipt)
      expect(gasUsed).toBeLessThan(600_000n)
    })
  }) // prettier-ignore

  it('C-07 C-10 that call back while they receive a device claim it once, and leave one owner and one root', async () => {
    await rewound(stage, async () => {
      const { chain, projectId } = stage
      await chain.settle(await stage.receipt(await stage.anchorNext(), [9n, 0n, 0n, 0n], 1n))
      const rewardOf = (account: Hex) => chain.getTokenBalance(stage.addresses.rewardToken, account)
      const safeTransfer = { ...devicesCall('safeTransferFrom', stage.alice, wallet.address, 1n), from: stage.alice }
      const claim = settlementCall('claim', [1n], wallet.address)
      await wallet.write('reenter', claim.to, claim.data)
      expect((await send(safeTransfer)).status).toBe('success')
      expect(await rewardOf(wallet.address)).toBe(9n * stage.terms.rewardPerUnitWei)
      expect(await tried(stage, execute(claim))).toMatchObject(refusedBy('NothingToClaim'))
      expect(await tried(stage, { ...claim, from: stage.alice })).toMatchObject(refusedBy('NotDeviceOwner'))
      expect((await chain.getDevice(1n)).status).toBe('suspended')
      expect((await chain.getLeaves(projectId, 0))[0]).toBe(0n)
    })
  })

  it('C-07 that hand a device back from within its transfer leave it suspended with its first owner', async () => {
    await rewound(stage, async () => {
      const back = devicesCall('transferFrom', wallet.address, stage.alice, 1n)
      await wallet.write('reenter', back.to, back.data)
      const safeTransfer = { ...devicesCall('safeTransferFrom', stage.alice, wallet.address, 1n), from: stage.alice }
      expect((await send(safeTransfer)).status).toBe('success')
      expect(await wallet.read('answered')).toBe(true)
      expect(await stage.chain.getDevice(1n)).toMatchObject({ owner: stage.alice, status: 'suspended' })
      await stage.chain.confirmKey(1n, stage.as(ALICE))
      for (const mode of [MODE.reverts, MODE.bombs, MODE.burnsGas]) {
        await wallet.write('setMode', mode)
        expect((await send(safeTransfer)).status, `mode ${mode}`).toBe('reverted')
        expect(await stage.chain.getDevice(1n)).toMatchObject({ owner: stage.alice, status: 'active' })
      }
    })
  })
})

describe('a reward token that fails', () => {
  /** A project paid in the bad token, with device 3 of Alice's and 6 units credited to it. */
  async function badProject() {
    const { chain, terms } = stage
    const { projectId } = await chain.createProject({ ...terms, rewardToken: token.address })
    await token.write('mint', stage.owner, 10n ** 24n)
    await chain.fund(projectId, 40n * MAX_UNITS * terms.rewardPerUnitWei, stage.as(OWNER))
    await chain.publishVersion(projectId, stage.publication(), stage.as(OWNER))
    await chain.activateVersion(projectId, 1, stage.as(OWNER))
    const admission = await stage.admission(stage.alice, 1, { projectId })
    await chain.registerDevice(admission, await chain.signAdmission(stage.keys[2]!, admission))
    const { identityRoot } = await chain.getCohort(projectId, 0)
    const batch = { projectId, cohort: 0, expectedNumber: 0n, batchRoot: 9n, identityRoot, daPointer: POINTER, version: 1 }
    const { anchor } = await chain.anchor(batch)
    return { projectId, receipt: await stage.receiptOf(projectId, stage.prover, { number: 0n, anchor }, [6n, 0n, 0n, 0n], 1n) }
  } // prettier-ignore

  it('C-07 C-10 spoils no settlement, no group and no other project; what it owes stays owed until it pays', async () => {
    await rewound(stage, async () => {
      const { chain } = stage
      const { projectId, receipt } = await badProject()
      await chain.settle(await stage.receipt(await stage.anchorNext(), [2n, 0n, 0n, 0n], 1n))
      const other = await stage.receipt(await stage.anchorNext(), [3n, 0n, 0n, 0n], 2n, stage.operator, 1n)
      await token.write('setMode', MODE.burnsGas)
      expect((await chain.settleMany([receipt, other])).settled).toHaveLength(2)
      for (const mode of [MODE.refuses, MODE.reverts, MODE.bombs, MODE.burnsGas]) {
        await token.write('setMode', mode)
        const calls = [
          { ...settlementCall('claim', [3n], stage.alice), from: stage.alice },
          { ...settlementCall('withdraw', projectId, 1n, stage.owner), from: stage.owner },
          { ...settlementCall('fund', projectId, 1n), from: stage.owner },
        ]
        const { escrowWei } = await chain.getAccount(projectId)
        for (const call of calls) expect((await send({ ...call, gas: 3_000_000n })).status, `mode ${mode}`).toBe('reverted')
        expect((await chain.getAccount(projectId)).escrowWei).toBe(escrowWei)
        expect((await chain.getPending(3n)).units).toBe(6n)
      }
      expect((await chain.claim([1n], stage.alice, stage.as(ALICE))).claims[0]!.units).toBe(5n)
      await token.write('setMode', MODE.returnsNothing)
      expect((await send({ ...settlementCall('claim', [3n], stage.alice), from: stage.alice })).status).toBe('success')
      expect((await chain.getPending(3n)).units).toBe(0n)
    })
  }) // prettier-ignore
})

describe('C-10 the money', () => {
  const perUnit = () => stage.terms.rewardPerUnitWei

  it('C-10 goes to nobody: every payment refuses the zero address', async () => {
    await rewound(stage, async () => {
      await stage.chain.settle(await stage.receipt(await stage.anchorNext(), [2n, 0n, 0n, 0n], 1n))
      const calls = [
        { ...settlementCall('claim', [1n], NOBODY), from: stage.alice },
        { ...settlementCall('withdraw', stage.projectId, 1n, NOBODY), from: stage.owner },
        settlementCall('claimFees', stage.projectId, NOBODY),
      ]
      for (const call of calls) expect(await tried(stage, call)).toMatchObject(refusedBy('AddressZero'))
    })
  })

  it('C-10 dust adds up to units, is in no count before, and leaves with its owner', async () => {
    await rewound(stage, async () => {
      const { chain, terms } = stage
      const { projectId } = await chain.createProject(terms)
      const free = async () => stage.publicClient.readContract({ address: stage.addresses.settlement, abi: settlementAbi, functionName: 'accountOf', args: [projectId] })
      for (const wei of [1n, perUnit() - 2n]) await chain.fund(projectId, wei, stage.as(OWNER))
      expect(await free()).toEqual([perUnit() - 1n, 0n, 0n])
      await chain.fund(projectId, 1n, stage.as(OWNER))
      expect(await free()).toEqual([perUnit(), 0n, 0n])
      await chain.withdraw(projectId, 1n, stage.owner, stage.as(OWNER))
      await expect(chain.withdraw(projectId, perUnit(), stage.owner, stage.as(OWNER))).rejects.toThrow('EscrowTooLow')
      await chain.withdraw(projectId, perUnit() - 1n, stage.owner, stage.as(OWNER))
      await expect(chain.withdraw(projectId, 1n, stage.owner, stage.as(OWNER))).rejects.toThrow('EscrowTooLow(')
      expect(await free()).toEqual([0n, 0n, 0n])
    })
  }) // prettier-ignore

  it('C-10 runs out before a promise is made, and a top-up counts at once', async () => {
    await rewound(stage, async () => {
      const { chain, projectId } = stage
      const { escrowWei } = await chain.getAccount(projectId)
      await chain.withdraw(projectId, escrowWei, stage.owner, stage.as(OWNER))
      await expect(stage.anchorNext()).rejects.toThrow('EscrowTooLow')
      await chain.fund(projectId, 2n * MAX_UNITS * perUnit(), stage.as(OWNER))
      await expect(stage.anchorNext()).rejects.toThrow('EscrowTooLow')
      await chain.fund(projectId, 2n * MAX_UNITS * perUnit(), stage.as(BOB)).catch(() => undefined)
      await chain.fund(projectId, 2n * MAX_UNITS * perUnit(), stage.as(OWNER))
      await stage.anchorNext()
      await expect(chain.withdraw(projectId, 1n, stage.owner, stage.as(OWNER))).rejects.toThrow('EscrowTooLow')
    })
  })

  it('C-10 is minted up to its cap and by its owner alone', async () => {
    const { rewardToken } = stage.addresses
    const cap = await stage.publicClient.readContract({ address: rewardToken, abi: rewardTokenAbi, functionName: 'cap' })
    const supply = await stage.publicClient.readContract({ address: rewardToken, abi: rewardTokenAbi, functionName: 'totalSupply' })
    const mint = (amount: bigint, from: Hex) => {
      const data = encodeFunctionData({ abi: rewardTokenAbi, functionName: 'mint', args: [stage.stranger, amount] })
      return tried(stage, { to: rewardToken, data, from })
    }
    expect(await mint(cap - supply, stage.operator)).toHaveProperty('accepted')
    expect(await mint(cap - supply + 1n, stage.operator)).toMatchObject(refusedBy('CapExceeded'))
    expect(await mint(1n, stage.stranger)).toMatchObject(refusedBy('OwnableUnauthorizedAccount'))
  }) // prettier-ignore

  it('C-10 deadlines are times: a block number is long past', async () => {
    const block = await stage.publicClient.getBlockNumber()
    const order = { owner: stage.alice, to: stage.alice, deviceIds: [1n], nonce: 0n, deadline: block + 1000n }
    expect(await tried(stage, settlementCall('claimFor', order, '0x'))).toMatchObject(refusedBy('ClaimExpired'))
    const admission = await stage.admission(stage.alice, 99, { deadline: block + 1000n })
    expect(await tried(stage, devicesCall('register', admission, '0x'))).toMatchObject(refusedBy('AdmissionExpired'))
  })

  it('C-10 a lane near its end refuses more instead of running into its neighbour', async () => {
    await rewound(stage, async () => {
      const { chain, projectId, testClient } = stage
      await chain.settle(await stage.receipt(await stage.anchorNext(), [0x3a5n, 0n, 1n, 0n], 1n))
      const slot = await storageSlotOf(0x3a5n + (1n << 128n))
      const receipt = await stage.receipt(await stage.anchorNext(), [MAX_UNITS, 0n, 0n, 0n], 2n)
      const setLane = (lane: bigint) =>
        testClient.setStorageAt({ address: stage.addresses.settlement, index: slot, value: integerToHex(lane, 32) })
      await setLane((1n << 63n) - 1n + (1n << 128n))
      expect(await tried(stage, settleCall(stage, receipt))).toHaveProperty('accepted')
      for (const lane of [1n << 63n, (1n << 64n) - 1n, 1n << 255n]) {
        await setLane(lane)
        expect(await tried(stage, settleCall(stage, receipt))).toMatchObject(refusedBy('LaneFull'))
        expect(await tried(stage, settleManyCall(stage, [receipt]))).toMatchObject(refusedBy('LaneFull'))
      }
      expect((await chain.getCohort(projectId, 0)).creditedUnits[1]).toBe(0n)
    })
  })

  /** Where the settlement keeps a word that `pending(1)` reads. */
  async function storageSlotOf(word: bigint): Promise<Hex> {
    const { data } = settlementCall('pending', 1n)
    const params = [{ from: stage.stranger, to: stage.addresses.settlement, data }, 'latest']
    const { accessList } = (await stage.testClient.request({ method: 'eth_createAccessList', params } as never)) as {
      accessList: { address: Hex; storageKeys: Hex[] }[]
    }
    const own = accessList.find(({ address }) => address.toLowerCase() === stage.addresses.settlement.toLowerCase())!
    for (const slot of own.storageKeys) {
      const value = await stage.publicClient.getStorageAt({ address: stage.addresses.settlement, slot })
      if (BigInt(value!) === word) return slot
    }
    throw new Error('no such word')
  }

  it('C-10 is not taken by a stranger under any role', async () => {
    const { projectId, version } = stage
    const { identityRoot, nextToAnchor } = await stage.chain.getCohort(projectId, 0)
    const calls = [
      settlementCall('withdraw', projectId, 1n, stage.stranger),
      settlementCall('setBudget', projectId, 0n, 0),
      settlementCall('claim', [1n, 2n], stage.stranger),
      settlementCall('claimFees', projectId, stage.stranger),
      settlementCall('anchor', projectId, 0n, nextToAnchor, 1n, identityRoot, POINTER, BigInt(version)),
      settlementCall('anchorMany', projectId, BigInt(version), []),
      settlementCall('upgradeCohort', projectId, 0n, BigInt(version), 1n, 1n),
    ]
    for (const call of calls) expect(await tried(stage, { ...call, from: stage.people[STRANGER]! })).toHaveProperty('refused')
    const withBobs = { ...settlementCall('claim', [1n, 2n], stage.alice), from: stage.alice }
    expect(await tried(stage, withBobs)).toMatchObject(refusedBy('NotDeviceOwner'))
  }) // prettier-ignore
})
