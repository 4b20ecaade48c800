import { keccak256, toHex } from 'viem'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { integerToHex } from '../../engine/core/codec.ts'
import { poseidon } from '../../engine/core/poseidon.ts'
import { createStage, CONFIG_HASH, GENESIS, MAX_UNITS, type Stage } from './stage.ts'

const DAY_SEC = 86_400
const [OPERATOR, OWNER, GUARDIAN, ALICE, STRANGER] = [0, 1, 4, 3, 5]

describe('C-09 an emergency stop', () => {
  let stage: Stage
  let version: number
  beforeAll(async () => (stage = await createStage({ devices: 2 })))
  afterAll(() => stage?.close())

  const activateNext = async () => {
    const { chain, projectId, as } = stage
    const published = await chain.publishVersion(projectId, stage.publication(), as(OWNER))
    await chain.activateVersion(projectId, published.version, as(OWNER))
    return published.version
  }
  const anchorUnder = async (under: number, batchRoot: bigint) => {
    const { chain, projectId } = stage
    const { identityRoot, nextToAnchor: expectedNumber } = await chain.getCohort(projectId, 0)
    const batch = { projectId, cohort: 0, expectedNumber, batchRoot, identityRoot, daPointer: integerToHex(1n, 32) }
    const { anchor } = await chain.anchor({ ...batch, version: under })
    return { number: expectedNumber, anchor }
  }

  it("of a version, by the project's guardian, blocks anchor and settle, lets anybody void, and leaves claims alone", async () => {
    const { chain, projectId, transact } = stage
    const settled = await anchorUnder(1, 1n)
    await chain.settle(await stage.receipt(settled, [5n, 6n, 0n, 0n], 9n))
    const open = await anchorUnder(1, 2n)
    const receipt = await stage.receipt(open, [1n, 0n, 0n, 0n], 10n)
    await transact('projects', 'setGuardian', [projectId, stage.people[GUARDIAN]])
    await expect(chain.voidFrom(projectId, 0, open.number, stage.as(STRANGER))).rejects.toThrow('AnchorNotStale')
    const stop = (sender: number) => transact('applets', 'stopVersion', [projectId, 1n], sender)
    await expect(stop(STRANGER)).rejects.toThrow('NotProjectGuardian')
    await expect(stop(OPERATOR)).rejects.toThrow('NotProjectGuardian')
    await stop(GUARDIAN)
    await expect(chain.settle(receipt)).rejects.toThrow('VersionIsStopped(1, 1)')
    await expect(chain.settleMany([receipt])).rejects.toThrow('VersionIsStopped(1, 1)')
    await expect(anchorUnder(1, 3n)).rejects.toThrow('VersionIsStopped')
    await expect(chain.activateVersion(projectId, 1, stage.as(OWNER))).rejects.toThrow('VersionIsStopped')
    await chain.voidFrom(projectId, 0, open.number, stage.as(STRANGER))
    const { claims } = await chain.claim([1n], stage.alice, stage.as(ALICE))
    expect(claims[0]!.units).toBe(5n)
    expect((await chain.getAccount(projectId)).reservedUnits).toBe(0n)
  })

  it('of a version leaves other versions with the same key to work', async () => {
    version = await activateNext()
    const open = await anchorUnder(version, 4n)
    await stage.chain.settle(await stage.receipt(open, [1n, 0n, 0n, 0n], 11n))
  })

  it('of a key takes its guardian, or a proof of what the circuit makes impossible; by nothing less', async () => {
    const { chain, projectId, prover, transact } = stage
    const open = await anchorUnder(version, 5n)
    const signals = Array.from({ length: 9 }, (_, i) => BigInt(i))
    const withLane = (lane: bigint) => [...signals.slice(0, 8), lane]
    const proofOf = async (values: readonly bigint[]) => `0x${(await prover.proveSignals(values)).slice(10)}`
    const stop = async (values: readonly bigint[], proof: string, vkHash: string = prover.vkHash) =>
      transact('applets', 'stopKeyByProof', [vkHash, values, proof], STRANGER)
    const possible = withLane((2n ** 38n - 1n) << 192n)
    await expect(stop(possible, await proofOf(possible))).rejects.toThrow('NothingImpossible')
    const impossible = withLane((2n ** 38n) << 128n)
    await expect(stop(impossible, await proofOf(possible))).rejects.toThrow('ProofInvalid')
    await expect(stop(impossible, await proofOf(impossible), keccak256(toHex('no key')))).rejects.toThrow('KeyUnknown')
    await expect(transact('applets', 'stopKey', [prover.vkHash], OWNER)).rejects.toThrow('NotGuardian')
    await stop(impossible, await proofOf(impossible))

    await expect(chain.settle(await stage.receipt(open, [1n, 0n, 0n, 0n], 12n))).rejects.toThrow('VersionIsStopped')
    await expect(anchorUnder(version, 6n)).rejects.toThrow('VersionIsStopped')
    await expect(activateNext()).rejects.toThrow('VersionIsStopped')
    await chain.voidFrom(projectId, 0, open.number, stage.as(STRANGER))
    const { claims } = await chain.claim([2n], stage.bob, stage.as(4))
    expect(claims[0]!.units).toBe(6n)
  })

  it("hands the guardian's role on in two steps", async () => {
    const { transact, people, prover } = stage
    await expect(transact('applets', 'proposeGuardian', [people[6]], STRANGER)).rejects.toThrow('NotGuardian')
    await transact('applets', 'proposeGuardian', [people[6]], OPERATOR)
    await expect(transact('applets', 'acceptGuardian', [], STRANGER)).rejects.toThrow('NotGuardian')
    await transact('applets', 'acceptGuardian', [], 6)
    await expect(transact('applets', 'stopKey', [prover.vkHash], OPERATOR)).rejects.toThrow('NotGuardian')
    await transact('applets', 'stopKey', [prover.vkHash], 6)
  })
})

describe('C-12 changes of a project with a delay', () => {
  let stage: Stage
  let projectId: bigint
  const delaySec = 2 * DAY_SEC
  beforeAll(async () => {
    stage = await createStage()
    const { chain, keys, terms } = stage
    projectId = (await chain.createProject({ ...terms, delaySec })).projectId
    await chain.publishVersion(projectId, stage.publication(), stage.as(OWNER))
    await chain.fund(projectId, 100n * MAX_UNITS * terms.rewardPerUnitWei, stage.as(OWNER))
    const admission = await stage.admission(stage.alice, 1, { projectId })
    await chain.registerDevice(admission, await chain.signAdmission(keys[2]!, admission))
  })
  afterAll(() => stage?.close())

  const project = () => stage.chain.getProject(projectId)
  const send = (functionName: string, args: readonly unknown[], sender = OWNER) =>
    stage.transact('projects', functionName, [projectId, ...args], sender)
  const activate = async (version: number, sunsetSec = 0) => {
    await stage.chain.activateVersion(projectId, version, stage.as(OWNER), sunsetSec)
    await stage.advance(delaySec)
    await stage.transact('applets', 'applyActivation', [projectId, BigInt(version), BigInt(sunsetSec)], STRANGER)
  }
  const anchor = async (version: number, batchRoot: bigint) => {
    const { identityRoot, nextToAnchor: expectedNumber } = await stage.chain.getCohort(projectId, 0)
    const batch = { projectId, cohort: 0, expectedNumber, batchRoot, identityRoot, daPointer: integerToHex(1n, 32) }
    const sent = await stage.chain.anchor({ ...batch, version })
    return { number: expectedNumber, anchor: sent.anchor }
  }
  const settle = async (anchored: Awaited<ReturnType<typeof anchor>>, ledgerAfter: bigint) =>
    stage.chain.settle(await stage.receiptOf(projectId, stage.prover, anchored, [1n, 0n, 0n, 0n], ledgerAfter))

  it('take effect after it, by anybody, once, and lapse', async () => {
    await send('setConfig', [5n])
    expect((await project()).configHash).toBe(CONFIG_HASH)
    await expect(send('applyConfig', [5n], STRANGER)).rejects.toThrow('ChangeNotDue')
    await expect(send('applyConfig', [6n], STRANGER)).rejects.toThrow('ChangeNotScheduled')
    await stage.advance(delaySec)
    await send('applyConfig', [5n], STRANGER)
    expect((await project()).configHash).toBe(5n)
    await expect(send('applyConfig', [5n])).rejects.toThrow('ChangeNotScheduled')
    await send('setConfig', [7n])
    await stage.advance(delaySec + 14 * DAY_SEC + 10)
    await expect(send('applyConfig', [7n])).rejects.toThrow('ChangeLapsed')
  })

  it('can be cancelled by owner and guardian, scheduled by the owner alone', async () => {
    await send('setGuardian', [stage.people[GUARDIAN]])
    await send('setConfig', [8n])
    const changeId = keccak256(
      `0x${integerToHex(64n, 32).slice(2)}${integerToHex(8n, 32).slice(2)}${integerToHex(6n, 32).slice(2)}${'636f6e666967'.padEnd(64, '0')}`,
    )
    await expect(send('cancelChange', [changeId], STRANGER)).rejects.toThrow('NotProjectGuardian')
    await send('cancelChange', [changeId], GUARDIAN)
    await stage.advance(delaySec)
    await expect(send('applyConfig', [8n])).rejects.toThrow('ChangeNotScheduled')
    await expect(send('setConfig', [8n], GUARDIAN)).rejects.toThrow('NotProjectOwner')
  })

  it('include a shorter delay, not a longer one', async () => {
    await send('setDelay', [delaySec + 1])
    expect((await project()).delaySec).toBe(delaySec + 1)
    await send('setDelay', [delaySec])
    expect((await project()).delaySec).toBe(delaySec + 1)
    await stage.advance(delaySec + 1)
    await send('applyDelay', [delaySec], STRANGER)
    expect((await project()).delaySec).toBe(delaySec)
    await expect(send('setDelay', [91 * DAY_SEC])).rejects.toThrow('DelayTooLong')
  })

  it('let a replaced version be anchored until its sunset', async () => {
    await expect(anchor(1, 1n)).rejects.toThrow('VersionNotActive')
    await activate(1)
    await settle(await anchor(1, 1n), 50n)
    await stage.chain.publishVersion(projectId, stage.publication(), stage.as(OWNER))
    await activate(2, DAY_SEC)
    await settle(await anchor(2, 2n), 51n)
    await settle(await anchor(1, 3n), 52n)
    await stage.advance(DAY_SEC)
    await expect(anchor(1, 4n)).rejects.toThrow('VersionNotActive(2, 1)')
  })

  it("B-03 keep every sequence when State changes, and start States from the new version's genesis", async () => {
    const { chain, transact } = stage
    const next = { ...stage.publication(), resetsState: true, genesisStatesHash: 333n }
    const { version } = await chain.publishVersion(projectId, next, stage.as(OWNER))
    await activate(version, DAY_SEC)
    const [sequences, states] = [900n, 901n]
    const before = await anchor(2, 5n)
    await expect(anchor(version, 6n)).rejects.toThrow('StateEpochDiffers(1, 0)')
    const upgrade = (sender: number, ...opening: readonly bigint[]) =>
      transact('settlement', 'upgradeCohort', [projectId, 0n, BigInt(version), ...opening], sender)
    await expect(upgrade(OPERATOR, sequences, states)).rejects.toThrow('AnchorsOpen(1)')
    await settle(before, poseidon([sequences, states]))
    await expect(upgrade(OWNER, sequences, states)).rejects.toThrow('NotSequencer')
    await expect(upgrade(OPERATOR, GENESIS.sequencesHash, states)).rejects.toThrow('LedgerMismatch')
    await upgrade(OPERATOR, sequences, states)
    expect((await chain.getCohort(projectId, 0)).ledger).toBe(poseidon([sequences, 333n]))
    await settle(await anchor(version, 6n), 60n)
    await expect(anchor(2, 7n)).rejects.toThrow('StateEpochDiffers(0, 1)')
    await expect(upgrade(OPERATOR, sequences, 333n)).rejects.toThrow('StateEpochDiffers(1, 2)')
  })
})
