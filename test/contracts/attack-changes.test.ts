// Attacks on what may change: contracts that nobody can replace or initialise, roles that must not get lost, changes that must
// not come early or late, and the trees of keys against a model.

import fc from 'fast-check'
import { encodeFunctionData, toFunctionSelector, type Abi } from 'viem'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { appletRegistryAbi, deviceRegistryAbi, projectRegistryAbi, settlementAbi } from '../../contracts/abi.ts'
import { contractArtifacts, type ContractName } from '../../contracts/build.ts'
import { poseidonSource } from '../../contracts/poseidon.ts'
import { isRefusal } from '../../engine/core/errors.ts'
import { deviceLeaf, identityRoot } from '../../engine/core/identity.ts'
import { poseidon } from '../../engine/core/poseidon.ts'
import { hexToBytes, type Hex } from '../../engine/core/codec.ts'
import { rewound, tried, triedTogether } from './attack-calls.ts'
import { journalProver } from './journal-prover.ts'
import { createStage, deviceKey, type Stage } from './stage.ts'

const DAY_SEC = 86_400
const [OWNER, ALICE, BOB, STRANGER] = [1, 3, 4, 5]
const OPCODE = {
  SLOAD: 0x54,
  SSTORE: 0x55,
  CREATE: 0xf0,
  CALL: 0xf1,
  CALLCODE: 0xf2,
  DELEGATECALL: 0xf4,
  SELFDESTRUCT: 0xff,
}
const PUSH1 = 0x60
const PUSH32 = 0x7f

let stage: Stage
beforeAll(async () => (stage = await createStage({ cohortSize: 8, devices: 2 })))
afterAll(() => stage?.close())

const refusedBy = (error: string) => ({ refused: expect.stringContaining(`${error}(`) as string })

/** How often each opcode stands in deployed code, the bytes that PUSH takes left out. */
async function opcodesOf(address: Hex): Promise<Map<number, number>> {
  const code = hexToBytes((await stage.publicClient.getCode({ address }))!)
  const counts = new Map<number, number>()
  for (let at = 0; at < code.length; at++) {
    const opcode = code[at]!
    counts.set(opcode, (counts.get(opcode) ?? 0) + 1)
    if (opcode >= PUSH1 && opcode <= PUSH32) at += opcode - PUSH1 + 1
  }
  return counts
}

describe('C-12 contracts that nobody can replace', () => {
  it('C-12 run no code but their own and that of the hash libraries they are linked with, and never end themselves', async () => {
    const { addresses } = stage
    const places: [ContractName, Hex][] = [
      ['ProjectRegistry', addresses.projects], ['AppletRegistry', addresses.applets], ['DeviceRegistry', addresses.devices],
      ['Groth16Verifier', addresses.verifier], ['Settlement', addresses.settlement], ['RewardToken', addresses.rewardToken],
    ] // prettier-ignore
    for (const [name, address] of places) {
      const counts = await opcodesOf(address)
      for (const opcode of ['SELFDESTRUCT', 'CALLCODE'] as const) expect(counts.get(OPCODE[opcode]) ?? 0, `${opcode} in ${name}`).toBe(0)
      const linked = Object.keys(contractArtifacts()[name].links).length > 0
      if (!linked) expect(counts.get(OPCODE.DELEGATECALL) ?? 0, `DELEGATECALL in ${name}`).toBe(0)
    }
    const effects = /\b(sstore|tstore|sload|call|callcode|delegatecall|staticcall|create2?|selfdestruct)\(/
    for (const inputs of [2, 3]) expect(effects.exec(poseidonSource(inputs))).toBeNull()
  }) // prettier-ignore

  it('C-12 lend their storage to the hash libraries alone', async () => {
    await rewound(stage, async () => {
      const { addresses } = stage
      const admission = await stage.admission(stage.bob, 60)
      const { txHash: registered } = await stage.chain.registerDevice(admission, await stage.chain.signAdmission(stage.keys[2]!, admission))
      const { txHash: anchored } = await stage.anchorNext()
      const targets = (await Promise.all([registered, anchored].map(delegatesOf))).map((all) => [...new Set(all)])
      expect(targets[0]!.sort()).toEqual([addresses.poseidonT3, addresses.poseidonT4].map((one) => one.toLowerCase()).sort())
      expect(targets[1]).toEqual([addresses.poseidonT3.toLowerCase()])
    })
  }) // prettier-ignore

  interface Frame {
    readonly type: string
    readonly to: Hex
    readonly calls?: readonly Frame[]
  }
  async function delegatesOf(hash: Hex): Promise<Hex[]> {
    const params = [hash, { tracer: 'callTracer' }]
    const root = (await stage.testClient.request({ method: 'debug_traceTransaction', params } as never)) as Frame
    const walk = (frame: Frame): Hex[] => [
      ...(frame.type === 'DELEGATECALL' ? [frame.to] : []),
      ...(frame.calls ?? []).flatMap(walk),
    ]
    return walk(root)
  }

  it('C-12 have no initializer and no upgrade, under any of their usual names', async () => {
    const names = [
      'initialize()', 'initialize(address)', 'initialize(address,address)', 'init()', 'init(address)', 'reinitialize(uint64)',
      'upgradeTo(address)', 'upgradeToAndCall(address,bytes)', 'setImplementation(address)', 'setVerifier(address)',
      'transferOwnership(address)', 'setOwner(address)', 'kill()', 'destroy()', 'multicall(bytes[])', 'execute(address,bytes)',
    ] // prettier-ignore
    const { rewardToken, ...others } = stage.addresses
    const calls = Object.values(others).flatMap((to) =>
      names.map((name) => ({ to, data: `${toFunctionSelector(name)}${'0'.repeat(256)}` as Hex, from: stage.operator })),
    )
    expect((await triedTogether(stage, calls)).every((returned) => returned === undefined)).toBe(true)
    const abis: Abi[] = [projectRegistryAbi, appletRegistryAbi, deviceRegistryAbi, settlementAbi] as never
    const functions = abis.flatMap((abi) => abi.flatMap((item) => (item.type === 'function' ? [item.name] : [])))
    expect(functions.filter((name) => /^(re)?init|implementation|proxy|upgradeTo|delegate/i.test(name))).toEqual([])
    expect(rewardToken).toMatch(/^0x/)
  })
})

describe('C-12 roles', () => {
  const project = (functionName: string, args: readonly unknown[], from = OWNER) =>
    stage.transact('projects', functionName, [stage.projectId, ...args], from)

  it('C-12 move in two steps, so that a slip of the pen loses none of them', async () => {
    await rewound(stage, async () => {
      const { people, stranger, projectId, chain } = stage
      const nobody = `0x${'0'.repeat(40)}`
      await project('proposeOwner', [nobody])
      await project('setConfig', [5n])
      await project('proposeOwner', [stranger])
      await expect(project('acceptOwnership', [], BOB)).rejects.toThrow('NotProposedOwner')
      await expect(project('setConfig', [6n], STRANGER)).rejects.toThrow('NotProjectOwner')
      await project('proposeOwner', [people[BOB]])
      await expect(project('acceptOwnership', [], STRANGER)).rejects.toThrow('NotProposedOwner')
      await project('acceptOwnership', [], BOB)
      await expect(project('setConfig', [6n])).rejects.toThrow('NotProjectOwner')
      await expect(project('acceptOwnership', [], BOB)).rejects.toThrow('NotProposedOwner')
      await expect(project('acceptOwnership', [])).rejects.toThrow('NotProposedOwner')
      await project('setConfig', [7n], BOB)
      expect((await chain.getProject(projectId)).configHash).toBe(7n)
    })
  })

  it("C-12 C-09 a guardian's lost or stolen key cancels and stops, and does nothing else", async () => {
    await rewound(stage, async () => {
      const { people, projectId, transact } = stage
      await project('setGuardian', [people[BOB]])
      const attempts = [
        ['projects', 'setConfig', [projectId, 1n]],
        ['projects', 'setDelay', [projectId, 5]],
        ['projects', 'setSequencer', [projectId, people[BOB]]],
        ['projects', 'setAdmitter', [projectId, people[BOB]]],
        ['projects', 'setGuardian', [projectId, people[BOB]]],
        ['projects', 'proposeOwner', [projectId, people[BOB]]],
        ['applets', 'activate', [projectId, 1n, 0n]],
        ['applets', 'proposeGuardian', [people[BOB]]],
        ['settlement', 'withdraw', [projectId, 1n, people[BOB]]],
        ['settlement', 'setBudget', [projectId, 1n, 1]],
        ['devices', 'revoke', [1n]],
      ] as const
      for (const [contract, functionName, args] of attempts) {
        await expect(transact(contract, functionName, args, BOB), functionName).rejects.toThrow(/\bNot\w+\(/)
      }
      // the owner replaces it
      await project('setGuardian', [people[6]])
      await expect(transact('applets', 'stopVersion', [projectId, 1n], BOB)).rejects.toThrow('NotProjectGuardian')
      await transact('applets', 'stopVersion', [projectId, 1n], 6)
    })
  })
})

describe('C-12 C-09 scheduled changes', () => {
  const delaySec = 2 * DAY_SEC
  let projectId: bigint
  beforeAll(async () => {
    const { chain, terms } = stage
    projectId = (await chain.createProject({ ...terms, delaySec })).projectId
    for (let i = 0; i < 2; i++) await chain.publishVersion(projectId, stage.publication(), stage.as(OWNER))
  })
  const apply = (version: bigint, sunsetSec = 0n, id = projectId) =>
    stage.transact('applets', 'applyActivation', [id, version, sunsetSec], STRANGER)
  const activate = (version: number, sunsetSec = 0) =>
    stage.chain.activateVersion(projectId, version, stage.as(OWNER), sunsetSec)
  const cancel = async (version: bigint) => {
    const args = [version, 0n] as const
    const { addresses, publicClient } = stage
    const changeId = await publicClient.readContract({ address: addresses.applets, abi: appletRegistryAbi, functionName: 'activation', args })
    return stage.transact('applets', 'cancelChange', [projectId, changeId])
  } // prettier-ignore

  it('C-12 an activation comes neither early nor in another form, project or registry, nor twice, nor long after', async () => {
    await rewound(stage, async () => {
      await activate(1)
      await expect(apply(1n)).rejects.toThrow('ChangeNotDue')
      await stage.advance(delaySec - 60)
      await expect(apply(1n)).rejects.toThrow('ChangeNotDue')
      await stage.advance(60)
      await expect(apply(1n, 1n)).rejects.toThrow('ChangeNotScheduled')
      await expect(apply(2n)).rejects.toThrow('ChangeNotScheduled')
      await expect(apply(1n, 0n, stage.projectId)).rejects.toThrow('ChangeNotScheduled')
      await apply(1n)
      await expect(apply(1n)).rejects.toThrow('ChangeNotScheduled')
      await activate(2)
      await stage.advance(delaySec + 14 * DAY_SEC + 60)
      await expect(apply(2n)).rejects.toThrow('ChangeLapsed')
      await activate(2)
      await expect(apply(2n)).rejects.toThrow('ChangeNotDue')
    })
  })

  it('C-12 what was cancelled or scheduled again starts from the beginning', async () => {
    await rewound(stage, async () => {
      await activate(1)
      await stage.advance(delaySec - 60)
      await activate(1)
      await stage.advance(120)
      await expect(apply(1n)).rejects.toThrow('ChangeNotDue')
      await cancel(1n)
      await stage.advance(delaySec)
      await expect(apply(1n)).rejects.toThrow('ChangeNotScheduled')
      await expect(cancel(1n)).rejects.toThrow('ChangeNotScheduled')
    })
  })

  it('C-09 the delay itself cannot be skipped: neither set to nothing at once nor overflowed', async () => {
    await rewound(stage, async () => {
      const set = (value: bigint) => stage.transact('projects', 'setDelay', [projectId, value])
      await set(0n)
      expect((await stage.chain.getProject(projectId)).delaySec).toBe(delaySec)
      await expect(set(2n ** 32n - 1n)).rejects.toThrow('DelayTooLong')
      await stage.chain.setConfig(projectId, 3n, stage.as(OWNER))
      expect((await stage.chain.getProject(projectId)).configHash).toBe(stage.terms.configHash)
      await expect(stage.transact('projects', 'applyDelay', [projectId, 0n], STRANGER)).rejects.toThrow('ChangeNotDue')
      await expect(stage.chain.activateVersion(projectId, 1, stage.as(OWNER), 366 * DAY_SEC)).rejects.toThrow('SunsetTooLong')
    })
  }) // prettier-ignore

  it('C-12 a shorter delay that was scheduled before a longer one does not undo it early', async () => {
    await rewound(stage, async () => {
      const set = (value: bigint) => stage.transact('projects', 'setDelay', [projectId, value])
      const applyDelay = (value: bigint) => stage.transact('projects', 'applyDelay', [projectId, value], STRANGER)
      await set(0n)
      await set(10n * BigInt(delaySec))
      await stage.advance(delaySec)
      await expect(applyDelay(0n)).rejects.toThrow('ChangeNotScheduled')
      await set(0n)
      await stage.advance(delaySec)
      await expect(applyDelay(0n)).rejects.toThrow('ChangeNotDue')
      await stage.advance(9 * delaySec)
      await applyDelay(0n)
      expect((await stage.chain.getProject(projectId)).delaySec).toBe(0)
    })
  })

  it('C-12 a new owner can cancel what the old one scheduled', async () => {
    await rewound(stage, async () => {
      await activate(1)
      await stage.transact('projects', 'proposeOwner', [projectId, stage.stranger])
      await stage.transact('projects', 'acceptOwnership', [projectId], STRANGER)
      const args = [1n, 0n] as const
      const { applets } = stage.addresses
      const changeId = await stage.publicClient.readContract({ address: applets, abi: appletRegistryAbi, functionName: 'activation', args })
      await expect(stage.transact('applets', 'cancelChange', [projectId, changeId], BOB)).rejects.toThrow('NotProjectGuardian')
      await stage.transact('applets', 'cancelChange', [projectId, changeId], STRANGER)
      await stage.advance(delaySec)
      await expect(apply(1n)).rejects.toThrow('ChangeNotScheduled')
    })
  }) // prettier-ignore
})

describe('B-05 the tree of keys', () => {
  const isRecent = (root: bigint) => stage.chain.isRecentRoot(stage.projectId, 0, root)

  it('B-05 knows one root: no leaf, no inner node, no smaller or larger tree, no other order, no empty root passes for it', async () => {
    const leaves = await stage.chain.getLeaves(stage.projectId, 0)
    const { identityRoot: root } = await stage.chain.getCohort(stage.projectId, 0)
    expect(identityRoot(leaves)).toBe(root)
    const [a, b] = leaves as [bigint, bigint]
    const level1 = Array.from({ length: 4 }, (_, i) => poseidon([leaves[2 * i]!, leaves[2 * i + 1]!]))
    const empty = (levels: number) => identityRoot(Array<bigint>(2 ** levels).fill(0n))
    const false_ = {
      'a leaf': a,
      'an inner node': level1[0]!,
      'the other inner node': poseidon([level1[2]!, level1[3]!]),
      'a tree of half the depth': identityRoot(leaves.slice(0, 4)),
      'a tree of twice the size': identityRoot([...leaves, ...Array<bigint>(8).fill(0n)]),
      'two leaves exchanged': identityRoot([b, a, ...leaves.slice(2)]),
      'a leaf in another place': identityRoot([a, b, a, ...leaves.slice(3)]),
      'a leaf moved': identityRoot([a, 0n, b, ...leaves.slice(3)]),
      'nothing but zeros': empty(3),
      'zeros of a smaller tree': empty(2),
      'zero': 0n,
      'the largest word': 2n ** 256n - 1n,
    } // prettier-ignore
    expect(await isRecent(root)).toBe(true)
    for (const [name, forged] of Object.entries(false_)) expect(await isRecent(forged), name).toBe(false)
    const { nextToAnchor } = await stage.chain.getCohort(stage.projectId, 0)
    for (const forged of Object.values(false_)) {
      const args = [stage.projectId, 0n, nextToAnchor, 1n, forged, `0x${'d1'.repeat(32)}`, 1n] as const
      const data = encodeFunctionData({ abi: settlementAbi, functionName: 'anchor', args })
      const outcome = await tried(stage, { to: stage.addresses.settlement, data, from: stage.operator })
      expect(outcome).toMatchObject(refusedBy('IdentityRootNotRecent'))
    }
  })

  it('B-05 takes inner nodes for leaves in no smaller tree: the size of a project is fixed, and its keys have the signals of it', async () => {
    const leaves = await stage.chain.getLeaves(stage.projectId, 0)
    const inner = Array.from({ length: 4 }, (_, i) => poseidon([leaves[2 * i]!, leaves[2 * i + 1]!]))
    // the hash of a tree does not tell its size, so a circuit for half the devices would accept these four as leaves
    expect(identityRoot(inner)).toBe((await stage.chain.getCohort(stage.projectId, 0)).identityRoot)
    const { verifyingKey } = await journalProver(4)
    const publication = { ...stage.publication(), verifyingKey }
    await expect(stage.chain.publishVersion(stage.projectId, publication, stage.as(OWNER))).rejects.toThrow('KeyLength')
    const setters = projectRegistryAbi.filter((item) => item.type === 'function' && /cohortSize/i.test(item.name))
    expect(setters).toEqual([])
  })

  it('B-04 B-05 after any history of keys is the tree of a model, and no key ever has two devices', async () => {
    await rewound(stage, async () => {
      const model = new TreeModel(stage)
      const steps = fc.sample(fc.record({ kind: fc.constantFrom(...KINDS), device: fc.nat(11), key: fc.nat(20) }), { seed: 11, numRuns: 70 })
      for (const step of steps) await model.take(step)
      expect(model.taken).toBeGreaterThan(20)
      expect(model.refused).toBeGreaterThan(10)
    })
  }) // prettier-ignore
})

const KINDS = [
  'register',
  'rotate',
  'rotate',
  'rotate',
  'rotate',
  'revoke',
  'suspend',
  'confirm',
  'transfer',
  'wait',
] as const
interface Step {
  readonly kind: (typeof KINDS)[number]
  readonly device: number
  readonly key: number
}
interface ModelDevice {
  owner: number
  leaf: bigint
  status: 'active' | 'suspended' | 'revoked'
  changedAtHour: number
}

/** What DeviceRegistry should do, with nothing of how it does it: leaves by place, and who was ever given which key. */
class TreeModel {
  readonly stage: Stage
  readonly devices: ModelDevice[] = []
  readonly holders = new Map<number, number>()
  taken = 0
  refused = 0

  constructor(of: Stage) {
    this.stage = of
    for (const index of [0, 1]) this.add(index + 1, index === 0 ? ALICE : BOB)
  }

  add(key: number, owner: number): void {
    const id = this.devices.length + 1
    this.holders.set(key, id)
    this.devices.push({ owner, leaf: deviceLeaf(deviceKey(key), BigInt(id)), status: 'active', changedAtHour: 0 })
  }

  /** Does a step on chain and in the model; both take it or both refuse it, and then agree on every leaf and root. */
  async take({ kind, device, key }: Step): Promise<void> {
    const id = (device % this.devices.length) + 1
    const known = this.devices[id - 1]!
    const hour = Math.floor(Number((await this.stage.publicClient.getBlock()).timestamp) / 3600)
    const expected = this.allows(kind, known, id, key + 1, hour)
    const happened = await this.onChain(kind, known, id, key + 1).then(
      () => true,
      (error: unknown) => {
        if (!isRefusal(error)) throw error
        return false
      },
    )
    expect(happened, `${kind} of device ${id}, key ${key + 1}, ${known.status}`).toBe(expected)
    if (expected) this.taken++
    else this.refused++
    if (expected) this.change(kind, known, id, key + 1, hour)
    await this.compare()
  }

  allows(kind: Step['kind'], device: ModelDevice, id: number, key: number, hour: number): boolean {
    const holder = this.holders.get(key)
    if (kind === 'register') return holder === undefined
    if (kind === 'rotate') {
      const rested = device.changedAtHour === 0 || hour >= device.changedAtHour + 24
      return device.status !== 'revoked' && rested && (holder === undefined || holder === id)
    }
    if (kind === 'revoke') return device.status !== 'revoked'
    if (kind === 'suspend') return device.status === 'active'
    if (kind === 'confirm') return device.status === 'suspended'
    return true
  }

  async onChain(kind: Step['kind'], device: ModelDevice, id: number, key: number): Promise<unknown> {
    const { chain, people, as } = this.stage
    const signer = as(device.owner)
    if (kind === 'register') return this.stage.register(people[ALICE]!, key)
    if (kind === 'rotate') return this.stage.rotate(BigInt(id), key, device.owner)
    if (kind === 'revoke') return chain.revokeDevice(BigInt(id), signer)
    if (kind === 'suspend') return chain.suspendKey(BigInt(id), signer)
    if (kind === 'confirm') return chain.confirmKey(BigInt(id), signer)
    if (kind === 'wait') return this.stage.advance(DAY_SEC)
    const next = device.owner === ALICE ? BOB : ALICE
    return chain.transferDevice(BigInt(id), people[device.owner]!, people[next]!, signer)
  }

  change(kind: Step['kind'], device: ModelDevice, id: number, key: number, hour: number): void {
    if (kind === 'register') return this.add(key, ALICE)
    if (kind === 'rotate') {
      this.holders.set(key, id)
      Object.assign(device, { leaf: deviceLeaf(deviceKey(key), BigInt(id)), status: 'active', changedAtHour: hour })
    }
    if (kind === 'revoke') device.status = 'revoked'
    if (kind === 'suspend') device.status = 'suspended'
    if (kind === 'confirm') device.status = 'active'
    if (kind !== 'transfer') return
    device.owner = device.owner === ALICE ? BOB : ALICE
    if (device.status === 'active') device.status = 'suspended'
  }

  async compare(): Promise<void> {
    const { chain, projectId, cohortSize } = this.stage
    for (let cohort = 0; cohort * cohortSize < this.devices.length; cohort++) {
      const own = this.devices.slice(cohort * cohortSize, (cohort + 1) * cohortSize)
      const leaves = own.map(({ leaf, status }) => (status === 'active' ? leaf : 0n))
      const padded = [...leaves, ...Array<bigint>(cohortSize - leaves.length).fill(0n)]
      expect(await chain.getLeaves(projectId, cohort)).toEqual(padded)
      expect((await chain.getCohort(projectId, cohort)).identityRoot).toBe(identityRoot(padded))
    }
  }
}
