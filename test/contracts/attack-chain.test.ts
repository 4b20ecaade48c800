// Attacks with what somebody else signed or proved: on another chain or another set of contracts, copied from the mempool, sent
// at the same time, around a change, or again after a reorganisation.

import { createWalletClient, encodeFunctionData, http, padHex } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { foundry } from 'viem/chains'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { deviceRegistryAbi, settlementAbi } from '../../contracts/abi.ts'
import { deploy, type Addresses } from '../../contracts/deploy.ts'
import type { SettledReceipt } from '../../engine/chain/writes.ts'
import { type Hex } from '../../engine/core/codec.ts'
import { inOneBlock, mined, rewound, sendRaw, settleCall, settleManyCall, tried, triedTogether, type Call } from './attack-calls.ts' // prettier-ignore
import { claimTypedData } from './claim-order.ts'
import { connectAs, createStage, CONFIG_HASH, deviceKey, MAX_UNITS, type Stage } from './stage.ts'

const [OPERATOR, OWNER, ADMITTER, ALICE, BOB, STRANGER] = [0, 1, 2, 3, 4, 5]
const UNITS = [1n, 2n, 3n, 4n]
const POINTER: Hex = `0x${'d1'.repeat(32)}`
type Anchored = Pick<Awaited<ReturnType<Stage['anchorNext']>>, 'number' | 'anchor'>
const NONE: { accepted: Hex } = { accepted: `0x${'0'.repeat(64)}` }

let stage: Stage
beforeAll(async () => (stage = await createStage({ devices: 4 })))
afterAll(() => stage?.close())

const refusedBy = (error: string) => ({ refused: expect.stringContaining(`${error}(`) as string })
const credited = async () => (await stage.chain.getCohort(stage.projectId, 0)).creditedUnits

async function signedClaim(owner = ALICE, deviceIds = [1n, 3n]) {
  const { timestamp } = await stage.publicClient.getBlock()
  const order = { owner: stage.people[owner]!, to: stage.people[6]!, deviceIds, nonce: 0n, deadline: timestamp + 3600n }
  const signature = await privateKeyToAccount(stage.keys[owner]!).signTypedData(claimTypedData(stage, order))
  return { order, signature }
}

function claimForCall(order: Awaited<ReturnType<typeof signedClaim>>['order'], signature: Hex, to?: Hex): Call {
  const data = encodeFunctionData({ abi: settlementAbi, functionName: 'claimFor', args: [order, signature] })
  return { to: to ?? stage.addresses.settlement, data }
}

/** Signed by the project's admitter for the registry of the stage. */
async function signedCalls(registry = stage.addresses.devices): Promise<{ register: Call; rotate: Call }> {
  const admission = await stage.admission(stage.bob, 70)
  const signature = await stage.chain.signAdmission(stage.keys[ADMITTER]!, admission)
  const { x: keyX, y: keyY } = deviceKey(71)
  const rotation = { deviceId: 1n, keyX, keyY, deadline: admission.deadline }
  const rotated = await stage.chain.signRotation(stage.keys[ADMITTER]!, rotation)
  const abi = deviceRegistryAbi
  const rotateArgs = [1n, keyX, keyY, rotation.deadline, rotated] as const
  return {
    register: { to: registry, data: encodeFunctionData({ abi, functionName: 'register', args: [admission, signature] }) },
    rotate: { to: registry, data: encodeFunctionData({ abi, functionName: 'rotateKey', args: rotateArgs }), from: stage.alice },
  } // prettier-ignore
}

describe('C-04 nothing signed or proven for one place counts in another', () => {
  it('C-04 on a fork of the chain, where all state and all addresses are the same', async () => {
    const receipt = await stage.receipt(await stage.anchorNext(), UNITS, 1n)
    const { order, signature } = await signedClaim()
    const signed = await signedCalls()
    const calls = [settleCall(stage, receipt), settleManyCall(stage, [receipt]), signed.register, signed.rotate]
    for (const call of calls) expect(await tried(stage, call)).toHaveProperty('accepted')
    expect(await tried(stage, claimForCall(order, signature))).toMatchObject(refusedBy('NothingToClaim'))
    const setChainId = (id: number) => stage.testClient.request({ method: 'anvil_setChainId', params: [id] } as never)
    await setChainId(4242)
    try {
      expect(await stage.publicClient.getChainId()).toBe(4242)
      const refusals = ['ProofInvalid', 'ReceiptRefused', 'AdmissionInvalid', 'AdmissionInvalid']
      for (const [i, call] of calls.entries()) {
        expect(await tried(stage, call)).toMatchObject(refusedBy(refusals[i]!))
      }
      expect(await tried(stage, claimForCall(order, signature))).toMatchObject(refusedBy('ClaimSignatureInvalid'))
    } finally {
      await setChainId(stage.anvil.chainId)
    }
    expect(await tried(stage, calls[0]!)).toHaveProperty('accepted')
    await stage.chain.voidFrom(stage.projectId, 0, receipt.batchNumber)
  })

  it('C-04 on another set of contracts of the same chain, with the same project, devices and anchor', async () => {
    const twin = await twinContracts()
    await rewound(stage, async () => {
      const [mine, theirs] = await anchorsInOneBlock(twin)
      expect(mine).toEqual(theirs)
      const { batchNumber, ...receipt } = await stage.receipt({ number: mine.number, anchor: mine.anchor }, UNITS, 1n)
      const moved = { ...receipt, batchNumber: theirs.number }
      const here = settleCall(stage, { ...receipt, batchNumber })
      expect(await tried(stage, here)).toHaveProperty('accepted')
      expect(await tried(stage, { ...here, to: twin.addresses.settlement })).toMatchObject(refusedBy('ProofInvalid'))
      const group = { ...settleManyCall(stage, [moved]), to: twin.addresses.settlement }
      expect(await tried(stage, group)).toMatchObject(refusedBy('ReceiptRefused'))
    })
    const { order, signature } = await signedClaim()
    const elsewhere = claimForCall(order, signature, twin.addresses.settlement)
    expect(await tried(stage, elsewhere)).toMatchObject(refusedBy('ClaimSignatureInvalid'))
    const signed = await signedCalls(twin.addresses.devices)
    expect(await tried(stage, signed.register)).toMatchObject(refusedBy('AdmissionInvalid'))
    expect(await tried(stage, signed.rotate)).toMatchObject(refusedBy('AdmissionInvalid'))
  })

  it('C-04 in another project of the same contracts, with the same devices, version and anchor', async () => {
    await rewound(stage, async () => {
      const { chain, terms } = stage
      const { projectId } = await chain.createProject(terms)
      await chain.publishVersion(projectId, stage.publication(), stage.as(OWNER))
      await chain.activateVersion(projectId, 1, stage.as(OWNER))
      await chain.fund(projectId, 40n * MAX_UNITS * terms.rewardPerUnitWei, stage.as(OWNER))
      const admission = await stage.admission(stage.alice, 1, { projectId })
      await chain.registerDevice(admission, await chain.signAdmission(stage.keys[ADMITTER]!, admission))
      const { identityRoot } = await chain.getCohort(projectId, 0)
      const batch = { projectId, cohort: 0, expectedNumber: 0n, batchRoot: 9n, identityRoot, daPointer: POINTER, version: 1 }
      const { anchor } = await chain.anchor(batch)
      const honest = await stage.receiptOf(projectId, stage.prover, { number: 0n, anchor }, UNITS, 1n)
      const forOther = { ...honest, journal: { ...honest.journal }, projectId: stage.projectId }
      expect(await tried(stage, settleCall(stage, honest))).toHaveProperty('accepted')
      expect(await tried(stage, settleCall(stage, forOther))).toHaveProperty('refused')
      const proven = await stage.receipt({ number: 0n, anchor }, UNITS, 1n)
      const moved = { ...proven, projectId }
      expect(await tried(stage, settleCall(stage, moved))).toMatchObject(refusedBy('ProofInvalid'))
    })
  }) // prettier-ignore

  async function twinContracts() {
    const { anvil, publicClient, keys, terms, prover } = stage
    const account = privateKeyToAccount(keys[OPERATOR]!)
    const chain = { ...foundry, id: anvil.chainId }
    const walletClient = createWalletClient({ account, chain, transport: http(anvil.rpcUrl) })
    const { addresses } = await deploy({ publicClient, walletClient, salt: padHex('0x02') })
    const twin = await connectAs(anvil, addresses, OPERATOR)
    await twin.createProject({ ...terms, rewardToken: addresses.rewardToken })
    await twin.mintReward(stage.owner, 10n ** 24n)
    await twin.fund(1n, 40n * MAX_UNITS * terms.rewardPerUnitWei, stage.as(OWNER))
    await twin.publishVersion(1n, { ...stage.publication(), verifyingKey: prover.verifyingKey }, stage.as(OWNER))
    await twin.activateVersion(1n, 1, stage.as(OWNER))
    for (let i = 0; i < 4; i++) {
      const admission = await stage.admission(i % 2 === 0 ? stage.alice : stage.bob, i + 1)
      await twin.registerDevice(admission, await twin.signAdmission(keys[ADMITTER]!, admission))
    }
    return { addresses, chain: twin }
  }

  /** The same batch, in the same second, on both sets; the stage's cohort is at number 1, so the twin's gets a void one first. */
  async function anchorsInOneBlock(twin: { addresses: Addresses; chain: Stage['chain'] }) {
    const { nextToAnchor, identityRoot } = await stage.chain.getCohort(1n, 0)
    for (let number = 0n; number < nextToAnchor; number++) {
      const filler = { projectId: 1n, cohort: 0, expectedNumber: number, batchRoot: 1n, identityRoot }
      await twin.chain.anchor({ ...filler, daPointer: POINTER, version: 1 })
      await twin.chain.voidFrom(1n, 0, number)
    }
    const args = [1n, 0n, nextToAnchor, 7n, identityRoot, POINTER, 1n] as const
    const data = encodeFunctionData({ abi: settlementAbi, functionName: 'anchor', args })
    const places = [stage.addresses.settlement, twin.addresses.settlement]
    const statuses = await inOneBlock(stage, async () => {
      const hashes: Hex[] = []
      for (const to of places) hashes.push(await sendRaw(stage, { to, data, from: stage.operator }))
      return hashes
    })
    expect(statuses).toEqual(['success', 'success'])
    const found = await Promise.all([stage.chain, twin.chain].map((chain) => chain.findAnchor(1n, 0, nextToAnchor)))
    return found.map((one) => ({ number: nextToAnchor, anchor: one!.anchor })) as [Anchored, Anchored]
  }
})

describe('C-05 what is copied from the mempool', () => {
  it('C-05 pays the payee of the proof, whoever sends it, alone or in a group', async () => {
    await rewound(stage, async () => {
      const { chain, projectId } = stage
      const { version } = await chain.publishVersion(projectId, { ...stage.publication(), feeUnits: 9n }, stage.as(OWNER))
      await chain.activateVersion(projectId, version, stage.as(OWNER))
      const { identityRoot, nextToAnchor: expectedNumber } = await chain.getCohort(projectId, 0)
      const batch = { projectId, cohort: 0, expectedNumber, batchRoot: 1n, identityRoot, daPointer: POINTER, version }
      const { anchor } = await chain.anchor(batch)
      const receipt = await stage.receipt({ number: expectedNumber, anchor }, UNITS, 1n, stage.bob)
      for (const payee of [stage.stranger, stage.operator, `0x${'0'.repeat(40)}` as const]) {
        const stolen = { ...receipt, payee }
        expect(await tried(stage, settleCall(stage, stolen))).toMatchObject(refusedBy('ProofInvalid'))
        expect(await tried(stage, settleManyCall(stage, [stolen]))).toMatchObject(refusedBy('ReceiptRefused'))
      }
      await chain.settle(receipt, stage.as(STRANGER))
      const feesOf = (payee: Hex) => {
        const args = [projectId, payee] as const
        return stage.publicClient.readContract({ address: stage.addresses.settlement, abi: settlementAbi, functionName: 'feeUnitsOf', args })
      }
      expect(await Promise.all([feesOf(stage.bob), feesOf(stage.stranger)])).toEqual([9n, 0n])
    })
  }) // prettier-ignore

  it("C-05 an admission gives the device to the owner it names; only the device's owner uses a rotation", async () => {
    await rewound(stage, async () => {
      const { register, rotate } = await signedCalls()
      await mined(stage, await sendRaw(stage, register))
      expect((await stage.chain.getDevice(5n)).owner).toBe(stage.bob)
      expect(await tried(stage, register)).toMatchObject(refusedBy('KeyTaken'))
      expect(await tried(stage, { ...rotate, from: stage.stranger })).toMatchObject(refusedBy('NotDeviceOwner'))
      expect(await tried(stage, rotate)).toHaveProperty('accepted')
    })
  })

  it('C-05 a claim order pays the account it names, whoever sends it, and once', async () => {
    await rewound(stage, async () => {
      await stage.chain.settle(await stage.receipt(await stage.anchorNext(), UNITS, 1n))
      const { order, signature } = await signedClaim()
      const altered = [{ to: stage.stranger }, { owner: stage.bob }, { nonce: 1n }, { deviceIds: [3n, 1n] }]
      for (const change of altered) {
        const outcome = await tried(stage, claimForCall({ ...order, ...change }, signature))
        expect(outcome).toMatchObject({
          refused: expect.stringMatching(/^(ClaimSignatureInvalid|InvalidAccountNonce)/),
        })
      }
      const call = claimForCall(order, signature)
      const both = await inOneBlock(stage, async () => [
        await sendRaw(stage, call),
        await sendRaw(stage, { ...call, from: stage.bob }),
      ])
      expect(both).toEqual(['success', 'reverted'])
      const paid = await stage.chain.getTokenBalance(stage.addresses.rewardToken, order.to)
      expect(paid).toBe(4n * stage.terms.rewardPerUnitWei)
    })
  })

  it('C-05 no change of keys, config, version, sequencer or funds around an anchor strands its batch', async () => {
    await rewound(stage, async () => {
      const { chain, projectId, transact } = stage
      const before = (await chain.getCohort(projectId, 0)).identityRoot
      await stage.rotate(1n, 72, ALICE)
      await chain.suspendKey(2n, stage.as(BOB))
      const number = (await chain.getCohort(projectId, 0)).nextToAnchor
      const batch = { projectId, cohort: 0, expectedNumber: number, batchRoot: 1n, identityRoot: before }
      const { anchor } = await chain.anchor({ ...batch, daPointer: POINTER, version: 1 })
      await chain.confirmKey(2n, stage.as(BOB))
      await transact('devices', 'revoke', [3n])
      await chain.setConfig(projectId, 99n, stage.as(OWNER))
      await chain.publishVersion(projectId, stage.publication(), stage.as(OWNER))
      await chain.activateVersion(projectId, 2, stage.as(OWNER))
      await transact('projects', 'setSequencer', [projectId, stage.stranger])
      const { escrowWei, reservedUnits } = await chain.getAccount(projectId)
      const free = escrowWei - reservedUnits * stage.terms.rewardPerUnitWei
      await chain.withdraw(projectId, free, stage.owner, stage.as(OWNER))
      const receipt = await stage.receipt({ number, anchor }, UNITS, 1n)
      expect(anchor.configHash).toBe(CONFIG_HASH)
      await chain.settle(receipt, stage.as(STRANGER))
      expect(await credited()).toEqual(UNITS)
      expect(await chain.isRecentRoot(projectId, 0, before)).toBe(false)
    })
  })
})

describe('C-06 the same thing twice', () => {
  const open = async () => stage.receipt(await stage.anchorNext(), UNITS, 1n)

  it('C-06 in one block, in every mixture of settle and settleMany: credited once', async () => {
    const kinds = (receipt: SettledReceipt) => [
      settleCall(stage, receipt),
      settleManyCall(stage, [receipt]),
      settleManyCall(stage, [receipt, receipt]),
    ]
    for (const first of [0, 1, 2]) {
      await rewound(stage, async () => {
        const calls = kinds(await open())
        const order = [calls[first]!, ...calls]
        const people = [stage.stranger, stage.alice, stage.bob, stage.operator]
        const statuses = await inOneBlock(stage, async () => {
          const hashes: Hex[] = []
          for (const [i, call] of order.entries()) hashes.push(await sendRaw(stage, { ...call, from: people[i]! }))
          return hashes
        })
        expect(statuses).toEqual(['success', 'reverted', 'success', 'success'])
        expect(await credited()).toEqual(UNITS)
        expect((await stage.chain.getAccount(stage.projectId)).reservedUnits).toBe(0n)
      })
    }
  })

  it('C-06 an anchor under one number, sent twice in one block, is one anchor with one reservation', async () => {
    await rewound(stage, async () => {
      const { identityRoot, nextToAnchor } = await stage.chain.getCohort(1n, 0)
      const data = [1n, 2n].map((batchRoot) => {
        const args = [1n, 0n, nextToAnchor, batchRoot, identityRoot, POINTER, 1n] as const
        return encodeFunctionData({ abi: settlementAbi, functionName: 'anchor', args })
      })
      const statuses = await inOneBlock(stage, async () => {
        const hashes: Hex[] = []
        for (const one of data) {
          hashes.push(await sendRaw(stage, { to: stage.addresses.settlement, data: one, from: stage.operator }))
        }
        return hashes
      })
      expect(statuses).toEqual(['success', 'reverted'])
      expect((await stage.chain.getAccount(1n)).reservedUnits).toBe(4n * MAX_UNITS)
    })
  })

  it.each(['settle', 'void'] as const)('C-06 void and settle in one block, %s first: one of them happens', async (first) => {
    await rewound(stage, async () => {
      const receipt = await open()
      const { anchor } = (await stage.chain.findAnchor(1n, 0, receipt.batchNumber))!
      const args = [1n, 0n, receipt.batchNumber, [{ ...anchor, version: 1n }]] as const
      const data = encodeFunctionData({ abi: settlementAbi, functionName: 'voidFrom', args })
      const calls = [settleCall(stage, receipt), { to: stage.addresses.settlement, data, from: stage.operator }]
      if (first === 'void') calls.reverse()
      const statuses = await inOneBlock(stage, async () => [await sendRaw(stage, calls[0]!), await sendRaw(stage, calls[1]!)])
      expect(statuses).toEqual(['success', 'reverted'])
      expect(await credited()).toEqual(first === 'settle' ? UNITS : [0n, 0n, 0n, 0n])
      expect((await stage.chain.getAccount(1n)).reservedUnits).toBe(0n)
    })
  }) // prettier-ignore

  it('C-06 after a reorganisation that drops the settlement the same receipt settles, once', async () => {
    await rewound(stage, async () => {
      const receipt = await open()
      await stage.chain.settle(receipt, stage.as(STRANGER))
      await stage.testClient.request({ method: 'anvil_reorg', params: [1, []] } as never)
      expect(await credited()).toEqual([0n, 0n, 0n, 0n])
      await stage.chain.settle(receipt, stage.as(STRANGER))
      expect(await credited()).toEqual(UNITS)
      expect(await tried(stage, settleCall(stage, receipt))).toMatchObject(refusedBy('AnchorNotOpen'))
      expect(await tried(stage, settleManyCall(stage, [receipt]))).toEqual(NONE)
    })
  })

  it('C-06 after one that drops the anchor as well, the old receipt does not fit the new anchor', async () => {
    await rewound(stage, async () => {
      const receipt = await open()
      await stage.chain.settle(receipt, stage.as(STRANGER))
      await stage.testClient.request({ method: 'anvil_reorg', params: [2, []] } as never)
      expect(await tried(stage, settleCall(stage, receipt))).toMatchObject(refusedBy('AnchorNotOpen'))
      await stage.advance(60)
      const again = await stage.anchorNext()
      expect(again.number).toBe(receipt.batchNumber)
      expect(await tried(stage, settleCall(stage, receipt))).toMatchObject(refusedBy('AnchorMismatch'))
      await stage.chain.settle(await stage.receipt(again, UNITS, 1n))
      expect(await credited()).toEqual(UNITS)
    })
  })

  it('C-06 the same frames anchored twice: the first receipt fits no second number, cohort or version', async () => {
    await rewound(stage, async () => {
      const [first, second] = [await stage.anchorNext(7n), await stage.anchorNext(7n)]
      const receipt = await stage.receipt(first, UNITS, 1n)
      await stage.chain.settle(receipt)
      const { anchorTime } = second.anchor
      const moved = { ...receipt, batchNumber: second.number, journal: { ...receipt.journal, anchorTime } }
      expect(await tried(stage, settleCall(stage, moved))).toMatchObject(refusedBy('ProofInvalid'))
      // also with all of the second's fields, as long as the ledger before is the first's
      const replayed = await stage.receipt(second, UNITS, 1n, stage.operator, receipt.journal.ledgerBefore)
      expect(await tried(stage, settleCall(stage, replayed))).toMatchObject(refusedBy('ProofInvalid'))
      const places = [{ cohort: 1 }, { version: 2 }, { batchNumber: 1n << 64n }, { batchNumber: second.number + 32n }]
      const calls = places.map((place) => settleCall(stage, { ...moved, ...place }))
      expect(await triedTogether(stage, calls)).toEqual(places.map(() => undefined))
    })
  })

  it('C-06 batches of one cohort in another order are refused, in one transaction as in several', async () => {
    await rewound(stage, async () => {
      const [first, second] = [await stage.anchorNext(1n), await stage.anchorNext(2n)]
      const a = await stage.receipt(first, UNITS, 1n)
      const b = await stage.receipt(second, UNITS, 2n, stage.operator, 1n)
      expect(await tried(stage, settleCall(stage, b))).toMatchObject(refusedBy('BatchNumberUnexpected'))
      expect(await tried(stage, settleManyCall(stage, [b, a]))).toMatchObject(refusedBy('BatchNumberUnexpected'))
      const swapped = [
        { ...a, batchNumber: second.number },
        { ...b, batchNumber: first.number },
      ]
      expect(await tried(stage, settleManyCall(stage, swapped))).toMatchObject(refusedBy('AnchorMismatch'))
      expect(await tried(stage, settleManyCall(stage, [a, b]))).toEqual({ accepted: `0x${'2'.padStart(64, '0')}` })
    })
  })
})
