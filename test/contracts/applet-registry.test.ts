import { keccak256 } from 'viem'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FIELD_ORDER } from '../../engine/core/field.ts'
import { hexToBytes } from '../../engine/core/codec.ts'
import { createStage, type Stage } from './stage.ts'

describe('applet versions', () => {
  let stage: Stage
  beforeAll(async () => (stage = await createStage()))
  afterAll(() => stage?.close())

  it('pins the key as code that nothing can change, under its hash', async () => {
    const { chain, projectId, prover } = stage
    const version = await chain.getVersion(projectId, 1)
    expect(version).toMatchObject({
      vkHash: keccak256(prover.verifyingKey),
      cohortSize: 4,
      frameSize: 4,
      devSetup: true,
    })
    const code = await stage.publicClient.getCode({ address: version.keyAccount })
    expect(code).toBe(`0x00${prover.verifyingKey.slice(2)}`)
  })

  it('numbers versions from 1; the owner alone publishes and activates', async () => {
    const { chain, projectId } = stage
    await expect(chain.publishVersion(projectId, stage.publication())).rejects.toThrow('NotProjectOwner')
    await expect(chain.activateVersion(projectId, 1)).rejects.toThrow('NotProjectOwner')
    await expect(chain.activateVersion(projectId, 2, stage.as(1))).rejects.toThrow('VersionUnknown(1, 2)')
    const { version } = await chain.publishVersion(projectId, stage.publication(), stage.as(1))
    expect(version).toBe(2)
    expect((await chain.getProject(projectId)).activeVersion).toBe(1)
    await chain.activateVersion(projectId, 2, stage.as(1))
    expect((await chain.getProject(projectId)).activeVersion).toBe(2)
  })

  it('refuses what no circuit can have', async () => {
    const { chain, projectId, prover } = stage
    const bad: [object, string][] = [
      [{ maxUnitsPerFrame: 0n }, 'MaxUnitsInvalid(0)'],
      [{ maxUnitsPerFrame: 2n ** 38n }, 'MaxUnitsInvalid'],
      [{ frameSize: 0 }, 'FrameSizeInvalid(0)'],
      [{ genesisStatesHash: FIELD_ORDER }, 'GenesisOutOfField'],
      [{ verifyingKey: prover.verifyingKey.slice(0, -2) }, 'KeyLength(1087, 1088)'],
      [{ verifyingKey: `${prover.verifyingKey}${'0'.repeat(128)}` }, 'KeyLength(1152, 1088)'],
      [{ verifyingKey: `0x${'f'.repeat(64)}${prover.verifyingKey.slice(66)}` }, 'KeyCoordinateOutOfField(0'],
    ]
    for (const [change, refusal] of bad) {
      const publication = { ...stage.publication(), ...change }
      await expect(chain.publishVersion(projectId, publication, stage.as(1))).rejects.toThrow(refusal)
    }
    expect(hexToBytes(prover.verifyingKey)).toHaveLength(1088)
  })

  it('refuses projects without sense', async () => {
    const { chain, terms } = stage
    await expect(chain.createProject({ ...terms, cohortSize: 5 })).rejects.toThrow('CohortSizeInvalid(5)')
    await expect(chain.createProject({ ...terms, cohortSize: 128 })).rejects.toThrow('CohortSizeInvalid(128)')
    await expect(chain.createProject({ ...terms, rewardPerUnitWei: 0n })).rejects.toThrow('RewardPerUnitZero')
    await expect(chain.createProject({ ...terms, configHash: FIELD_ORDER })).rejects.toThrow('ConfigHashOutOfField')
    await expect(chain.getProject(99n)).rejects.toThrow('ProjectUnknown(99)')
    await expect(chain.setConfig(1n, 1n)).rejects.toThrow('NotProjectOwner')
  })

  it('leaves an anchored batch its own version and config when both change', async () => {
    const { chain, projectId } = stage
    await stage.register(stage.alice, 1)
    const { identityRoot } = await chain.getCohort(projectId, 0)
    const request = { projectId, cohort: 0, expectedNumber: 0n, batchRoot: 5n, identityRoot, version: 2 }
    const daPointer = `0x${'ab'.repeat(32)}` as const
    const anchored = await chain.anchor({ ...request, daPointer })
    await chain.setConfig(projectId, 777n, stage.as(1))
    await chain.activateVersion(projectId, 1, stage.as(1))
    await chain.settle(await stage.receipt({ number: 0n, anchor: anchored.anchor }, [1n, 0n, 0n, 0n], 6n))
    const next = await stage.anchorNext()
    expect(next.anchor).toMatchObject({ configHash: 777n, version: 1 })
  })
})

describe('a production registry', () => {
  let stage: Stage
  beforeAll(async () => (stage = await createStage({ production: true })))
  afterAll(() => stage?.close())

  it('refuses a development setup', async () => {
    const { chain, projectId } = stage
    const dev = { ...stage.publication(), devSetup: true }
    await expect(chain.publishVersion(projectId, dev, stage.as(1))).rejects.toThrow('DevelopmentSetupRefused')
  })

  it('C-09 once it has auditors, activates only what one of them attested, also after the delay', async () => {
    const { chain, projectId, transact, people } = stage
    const [GUARDIAN, OWNER, AUDITOR, STRANGER] = [0, 1, 6, 5]
    const { version } = await chain.publishVersion(projectId, stage.publication(), stage.as(OWNER))
    const { appletId, vkHash } = await chain.getVersion(projectId, version)
    const activate = () => chain.activateVersion(projectId, version, stage.as(OWNER))
    const setAuditor = (audits: boolean, sender = GUARDIAN) =>
      transact('applets', 'setAuditor', [people[AUDITOR], audits], sender)
    const attest = (sender: number, applet = appletId, key = vkHash) =>
      transact('applets', 'attest', [projectId, BigInt(version), applet, key], sender)
    await expect(setAuditor(true, OWNER)).rejects.toThrow('NotGuardian')
    await expect(setAuditor(false)).rejects.toThrow('AuditorUnchanged')
    await transact('applets', 'setAuditor', [`0x${'0'.repeat(40)}`, true], GUARDIAN)
    await expect(activate(), 'with an auditor who is nobody').rejects.toThrow('VersionNotAttested')
    await setAuditor(true)
    await expect(activate()).rejects.toThrow(`VersionNotAttested(${projectId}, ${version})`)
    await expect(attest(STRANGER)).rejects.toThrow('NotAuditor')
    await expect(attest(GUARDIAN)).rejects.toThrow('NotAuditor')
    await expect(attest(AUDITOR, vkHash)).rejects.toThrow('OtherPublication')
    await expect(attest(AUDITOR, appletId, appletId)).rejects.toThrow('OtherPublication')
    await attest(AUDITOR)
    await setAuditor(false)
    await transact('applets', 'setAuditor', [people[7], true], GUARDIAN)
    await expect(activate()).rejects.toThrow('VersionNotAttested')
    await setAuditor(true)

    await transact('projects', 'setDelay', [projectId, 3600])
    await activate()
    await attest(AUDITOR)
    await stage.advance(3600)
    await transact('applets', 'applyActivation', [projectId, BigInt(version), 0n], STRANGER)
    expect((await chain.getProject(projectId)).activeVersion).toBe(version)

    const next = await chain.publishVersion(projectId, stage.publication(), stage.as(OWNER))
    await chain.activateVersion(projectId, next.version, stage.as(OWNER))
    await stage.advance(3600)
    const apply = transact('applets', 'applyActivation', [projectId, BigInt(next.version), 0n], STRANGER)
    await expect(apply).rejects.toThrow('VersionNotAttested')
  })
})
