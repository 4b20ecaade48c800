// Attacks on what a proof is verified under: a key with a known secret or none, another applet's key, a stopped one, no key at
// all, another verifier.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { groth16, zKey } from 'snarkjs'
import { encodeFunctionData, keccak256 } from 'viem'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { appletRegistryAbi, groth16VerifierAbi, settlementAbi } from '../../contracts/abi.ts'
import { contractArtifacts } from '../../contracts/build.ts'
import { bytesToHex, type Hex } from '../../engine/core/codec.ts'
import { journalSignals, packLanes } from '../../engine/core/journal.ts'
import { decodeSeal } from '../../engine/core/seal.ts'
import { encodeVerifyingKey, type VerifyingKey } from '../../engine/core/verifying-key.ts'
import { buildToy, meterToy } from '../circuits/lib/toy.ts'
import { writeTinyPowersOfTau } from '../circuits/setup/tiny.ts'
import { joined, proofWords, mined, rewound, settleCall, settleManyCall, tried, withProof } from './attack-calls.ts'
import { forgeWithWaste, forgeWithoutContribution } from './attack-forgery.ts'
import { journalProver } from './journal-prover.ts'
import { createStage, MAX_UNITS, type Stage } from './stage.ts'

const [OWNER, ALICE, STRANGER] = [1, 3, 5]
const SEED_OF_TOY = 'test'
const OTHER_WORD = `0x${'5e'.repeat(32)}` as const

let stage: Stage
beforeAll(async () => (stage = await createStage({ devices: 2 })))
afterAll(() => stage?.close())

/** Publishes and activates a version with a key, anchors a batch under it, and tells what a journal for it would be. */
async function anchoredUnder(verifyingKey: Hex) {
  const { chain, projectId } = stage
  const published = await chain.publishVersion(projectId, { ...stage.publication(), verifyingKey }, stage.as(OWNER))
  const { version, vkHash } = published
  await chain.activateVersion(projectId, version, stage.as(OWNER))
  const { identityRoot, nextToAnchor: expectedNumber } = await chain.getCohort(projectId, 0)
  const batch = { projectId, cohort: 0, expectedNumber, batchRoot: 9n, identityRoot, daPointer: OTHER_WORD, version }
  const { anchor } = await chain.anchor(batch)
  return { vkHash, anchored: { number: expectedNumber, anchor } }
}

describe('a key whose maker can forge', () => {
  let verifyingKey: Hex
  let json: VerifyingKey
  beforeAll(async () => {
    const { paths } = await buildToy(meterToy, 4)
    json = JSON.parse(readFileSync(paths.verifyingKey, 'utf8')) as VerifyingKey
    verifyingKey = bytesToHex(encodeVerifyingKey(json))
  })

  it('C-03 C-11 pays lies where development setups are allowed, is refused in production, and its own forgery stops it', async () => {
    await rewound(stage, async () => {
      const { chain, projectId, transact } = stage
      const { anchored, vkHash } = await anchoredUnder(verifyingKey)
      // slots 2 and 3 have no device, and nobody has sent a reading
      const template = await stage.receipt(anchored, [0n, 0n, MAX_UNITS, MAX_UNITS], 666n)
      const signals = journalSignals(template.journal)
      const words = forgeWithWaste(verifyingKey, SEED_OF_TOY, signals)
      const seal = withProof(`${vkHash.slice(0, 10)}${'0'.repeat(512)}` as Hex, words)
      expect(await groth16.verify(json, signals.map(String), decodeSeal(vkHash, seal))).toBe(true)
      const lie = { ...template, seal }
      await rewound(stage, async () => {
        await chain.settle(lie)
        expect((await chain.getCohort(projectId, 0)).creditedUnits).toEqual([0n, 0n, MAX_UNITS, MAX_UNITS])
        expect((await chain.getVersion(projectId, anchored.anchor.version)).devSetup).toBe(true)
      })

      const impossible = [...signals.slice(0, 8), 1n << 38n]
      const proof = joined(forgeWithWaste(verifyingKey, SEED_OF_TOY, impossible))
      await expect(transact('applets', 'stopKeyByProof', [vkHash, signals, joined(words)], STRANGER)).rejects.toThrow(
        'NothingImpossible',
      )
      await transact('applets', 'stopKeyByProof', [vkHash, impossible, proof], STRANGER)
      for (const call of [settleCall(stage, lie), settleManyCall(stage, [lie])]) {
        expect(await tried(stage, call)).toMatchObject({ refused: expect.stringContaining('VersionIsStopped') })
      }
    })
  })

  it('C-03 C-11 is refused by a production registry, which nothing turns into another', async () => {
    const production = await createStage({ production: true })
    try {
      const { chain, projectId, addresses, publicClient } = production
      const declared = { ...production.publication(), verifyingKey, devSetup: true }
      const refused = chain.publishVersion(projectId, declared, production.as(OWNER))
      await expect(refused).rejects.toThrow('DevelopmentSetupRefused')
      const isProduction = { address: addresses.applets, abi: appletRegistryAbi, functionName: 'production' } as const
      expect(await publicClient.readContract(isProduction)).toBe(true)
      const setters = appletRegistryAbi.filter((item) => item.type === 'function' && /production/i.test(item.name))
      expect(setters.map((item) => 'stateMutability' in item && item.stateMutability)).toEqual(['view'])
    } finally {
      await production.close()
    }
  })

  it('C-03 to which nobody contributed (circuit_0000.zkey) is refused, since everybody can', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'attestream-key-'))
    const [powers, zkey] = [join(directory, 'powers.ptau'), join(directory, 'circuit_0000.zkey')]
    await writeTinyPowersOfTau(powers)
    await zKey.newZKey!(stage.prover.r1csPath, powers, zkey)
    const first = (await zKey.exportVerificationKey!(new Uint8Array(readFileSync(zkey)))) as VerifyingKey
    rmSync(directory, { recursive: true })
    const encoded = bytesToHex(encodeVerifyingKey(first))
    const signals = Array.from({ length: 9 }, (_, i) => BigInt(i))
    const seal = `${keccak256(encoded).slice(0, 10)}${joined(forgeWithoutContribution(encoded, signals)).slice(2)}`
    const proof = decodeSeal(keccak256(encoded), seal as Hex)
    expect(await groth16.verify(first, signals.map(String), proof)).toBe(true)
    await expect(anchoredUnder(encoded)).rejects.toThrow('KeyWithoutContribution')
  })
})

describe('a key that is stopped', () => {
  it('C-09 stays stopped when it is published, activated and anchored again, and no function starts it', async () => {
    await rewound(stage, async () => {
      const { chain, projectId, prover, transact } = stage
      const open = await stage.anchorNext()
      const receipt = await stage.receipt(open, [1n, 0n, 0n, 0n], 1n)
      const account = (await chain.getVersion(projectId, 1)).keyAccount
      await transact('applets', 'stopKey', [prover.vkHash], 0)
      const { version } = await chain.publishVersion(projectId, stage.publication(), stage.as(OWNER))
      expect((await chain.getVersion(projectId, version)).keyAccount).toBe(account)
      await expect(chain.activateVersion(projectId, version, stage.as(OWNER))).rejects.toThrow('VersionIsStopped')
      await expect(chain.activateVersion(projectId, 1, stage.as(OWNER))).rejects.toThrow('VersionIsStopped')
      await expect(stage.anchorNext()).rejects.toThrow('VersionIsStopped')
      await expect(chain.settle(receipt)).rejects.toThrow('VersionIsStopped')
      await transact('applets', 'stopKey', [prover.vkHash], 0)
      await expect(chain.settle(receipt)).rejects.toThrow('VersionIsStopped')
    })
    const names = appletRegistryAbi.flatMap((item) => (item.type === 'function' ? [item.name] : []))
    expect(names.filter((name) => /start|resume|unstop|setKey|setVerifier/i.test(name))).toEqual([])
  })

  it('C-09 blocks no claim: what was credited is paid after every stop there is', async () => {
    await rewound(stage, async () => {
      const { chain, projectId, prover, transact } = stage
      await chain.settle(await stage.receipt(await stage.anchorNext(), [7n, 0n, 0n, 0n], 1n))
      await transact('applets', 'stopKey', [prover.vkHash], 0)
      await transact('applets', 'stopVersion', [projectId, 1n])
      await transact('projects', 'setSequencer', [projectId, stage.stranger])
      await transact('devices', 'revoke', [1n])
      const { claims } = await chain.claim([1n], stage.alice, stage.as(ALICE))
      expect(claims[0]!.units).toBe(7n)
    })
  })
})

describe('no key, no verifier', () => {
  const signals = Array.from({ length: 9 }, (_, i) => BigInt(i))
  const verify = async (key: Hex) => {
    const args = [key, signals, joined(proofWords(await stage.prover.proveSignals(signals)))] as const
    const data = encodeFunctionData({ abi: groth16VerifierAbi, functionName: 'verify', args })
    return tried(stage, { to: stage.addresses.verifier, data })
  }

  it('C-09 takes no account without code, of other code or of a precompile for a key', async () => {
    const { keyAccount } = await stage.chain.getVersion(stage.projectId, 1)
    expect(await verify(keyAccount)).toHaveProperty('accepted')
    const { verifier, settlement } = stage.addresses
    const precompile = `0x${'8'.padStart(40, '0')}` as const
    for (const account of [stage.stranger, precompile, `0x${'0'.repeat(40)}` as const, verifier, settlement]) {
      expect(await verify(account)).toMatchObject({ refused: expect.stringContaining('KeyMismatch') })
    }
  })

  it("C-09 a key's account does nothing when it is called, and its code stays", async () => {
    const { keyAccount } = await stage.chain.getVersion(stage.projectId, 1)
    const code = await stage.publicClient.getCode({ address: keyAccount })
    for (const data of ['0x', `0x${'ff'.repeat(64)}`, code!] as const) {
      const hash = await stage.testClient.sendUnsignedTransaction({ from: stage.stranger, to: keyAccount, data })
      await mined(stage, hash)
    }
    expect(await stage.publicClient.getCode({ address: keyAccount })).toBe(code)
    expect(code!.slice(0, 4)).toBe('0x00')
  })

  it('C-09 settles nothing when the verifier has no code', async () => {
    await rewound(stage, async () => {
      const receipt = await stage.receipt(await stage.anchorNext(), [1n, 0n, 0n, 0n], 1n)
      expect(await tried(stage, settleCall(stage, receipt))).toHaveProperty('accepted')
      await stage.testClient.setCode({ address: stage.addresses.verifier, bytecode: '0x' })
      expect(await tried(stage, settleCall(stage, receipt))).toHaveProperty('refused')
      expect(await tried(stage, settleManyCall(stage, [receipt]))).toHaveProperty('refused')
    })
  })

  it('C-11 the deployed verifier is the one of the sources, byte for byte, and nothing can point to another', async () => {
    const code = await stage.publicClient.getCode({ address: stage.addresses.verifier })
    expect(contractArtifacts().Groth16Verifier.bytecode.endsWith(code!.slice(2))).toBe(true)
    for (const abi of [settlementAbi, appletRegistryAbi]) {
      const touching = abi.filter((item) => item.type === 'function' && /verifier/i.test(item.name))
      expect(touching.map((item) => 'stateMutability' in item && item.stateMutability)).toEqual(['view'])
    }
  })

  it("C-03 takes no proof of another applet's key, under either selector", async () => {
    await rewound(stage, async () => {
      const other = await journalProver(4, 'another')
      const { anchored, vkHash } = await anchoredUnder(other.verifyingKey)
      const mine = await stage.receipt(anchored, [1n, 0n, 0n, 0n], 1n)
      const renamed = { ...mine, seal: `${vkHash.slice(0, 10)}${mine.seal.slice(10)}` as Hex }
      const right = await stage.receiptOf(stage.projectId, other, anchored, [1n, 0n, 0n, 0n], 1n)
      for (const [receipt, refusal] of [[mine, 'SealOfOtherKey'], [renamed, 'ProofInvalid']] as const) {
        expect(await tried(stage, settleCall(stage, receipt))).toMatchObject({ refused: expect.stringContaining(refusal) })
      }
      expect(await tried(stage, settleManyCall(stage, [renamed]))).toMatchObject({ refused: expect.stringContaining('ReceiptRefused(0') })
      expect(await tried(stage, settleCall(stage, right))).toHaveProperty('accepted')
      expect(packLanes([1n, 0n, 0n, 0n])).toEqual(right.journal.lanes)
    })
  }) // prettier-ignore
})
