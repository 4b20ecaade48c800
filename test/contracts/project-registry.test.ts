import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { projectRegistryAbi } from '../../contracts/abi.ts'
import { integerToHex, type Hex } from '../../engine/core/codec.ts'
import { createStage, type Stage } from './stage.ts'

const [OPERATOR, OWNER, ALICE, STRANGER] = [0, 1, 3, 5]
const ZERO: Hex = `0x${'00'.repeat(20)}`

describe('projects', () => {
  let stage: Stage
  beforeAll(async () => (stage = await createStage()))
  afterAll(() => stage?.close())

  const send = (functionName: string, args: readonly unknown[], sender = OWNER) =>
    stage.transact('projects', functionName, [stage.projectId, ...args], sender)
  const read = (functionName: 'rewardTerms' | 'anchorTerms', projectId: bigint) =>
    stage.publicClient.readContract({
      address: stage.addresses.projects,
      abi: projectRegistryAbi,
      functionName,
      args: [projectId],
    })

  it('need an owner, a reward token and a cohort of 4 to 64', async () => {
    const { chain, terms } = stage
    await expect(chain.createProject({ ...terms, owner: ZERO })).rejects.toThrow('AddressZero')
    await expect(chain.createProject({ ...terms, rewardToken: ZERO })).rejects.toThrow('AddressZero')
    await expect(chain.createProject({ ...terms, cohortSize: 2 })).rejects.toThrow('CohortSizeInvalid(2)')
  })

  it('replace who runs them at once, by the owner alone', async () => {
    const { chain, projectId, people } = stage
    for (const setter of ['setAdmitter', 'setSequencer', 'setGuardian']) {
      await expect(send(setter, [people[6]], STRANGER)).rejects.toThrow('NotProjectOwner')
      await send(setter, [people[6]])
    }
    const { sequencer, admitter, guardian } = await chain.getProject(projectId)
    expect([sequencer, admitter, guardian]).toEqual([people[6], people[6], people[6]])
    await expect(stage.anchorNext()).rejects.toThrow('NotSequencer')
    await send('setSequencer', [people[OPERATOR]])
    await expect(stage.register(stage.alice, 1)).rejects.toThrow('AdmissionInvalid')
    await send('setAdmitter', [ZERO])
    await expect(stage.register(stage.alice, 1)).rejects.toThrow(`AdmissionInvalid(${ZERO})`)
    await send('setAdmitter', [stage.admitter])
    await stage.register(stage.alice, 1)
  })

  it('change hands in two steps, and back', async () => {
    const { chain, projectId, people } = stage
    await expect(send('proposeOwner', [people[ALICE]], STRANGER)).rejects.toThrow('NotProjectOwner')
    await send('proposeOwner', [people[ALICE]])
    await expect(send('acceptOwnership', [], STRANGER)).rejects.toThrow('NotProposedOwner')
    expect((await chain.getProject(projectId)).owner).toBe(stage.owner)
    await send('acceptOwnership', [], ALICE)
    await expect(send('acceptOwnership', [], ALICE)).rejects.toThrow('NotProposedOwner')
    await expect(send('setConfig', [1n])).rejects.toThrow('NotProjectOwner')
    await send('proposeOwner', [stage.owner], ALICE)
    await send('acceptOwnership', [])
    await send('setConfig', [1n])
  })

  it('without a delay change everything at once and have nothing to cancel', async () => {
    const { chain, projectId } = stage
    await send('setDelay', [0])
    expect((await chain.getProject(projectId)).delaySec).toBe(0)
    await expect(send('cancelChange', [integerToHex(1n, 32)])).rejects.toThrow('ChangeNotScheduled')
  })

  it('that nobody created have no terms', async () => {
    await expect(read('rewardTerms', 99n)).rejects.toThrow('ProjectUnknown')
    expect(await read('anchorTerms', 99n)).toEqual([ZERO, 0n])
  })
})
