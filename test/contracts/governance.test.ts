// Token holders govern a project, the reward token and the registry through governor and timelock, on a real chain: a vote takes
// effect after the delay and nothing else does.

import {
  createPublicClient,
  createTestClient,
  createWalletClient,
  encodeFunctionData,
  http,
  keccak256,
  parseAbiItem,
  parseEther,
  toHex,
  zeroAddress,
  zeroHash,
  type Abi,
  type Hex,
} from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { foundry } from 'viem/chains'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as abis from '../../contracts/abi.ts'
import { deploy, type Deployment, type Governance } from '../../contracts/deploy.ts'
import { startAnvil, type Anvil } from '../../engine/chain/anvil.ts'

const TERMS = { kind: 'governor', votingDelaySec: 60, votingPeriodSec: 600, timelockDelaySec: 3600 } as const
const VOTES = { proposalThresholdWei: 1n, quorumPercent: 10 }
const TOKEN = { name: 'Vote', symbol: 'VOTE', capWei: parseEther('2000'), supplyWei: parseEther('1000') }
const SUPPORT = { against: 0, for: 1 }
const STATE = { canceled: 2, defeated: 3 }
const ROLES = {
  admin: zeroHash,
  proposer: keccak256(toHex('PROPOSER_ROLE')),
  executor: keccak256(toHex('EXECUTOR_ROLE')),
  canceller: keccak256(toHex('CANCELLER_ROLE')),
}
/** What else a call may come back with: errors of the contracts that it reaches. */
const ERRORS = [...abis.errorsAbi, ...abis.attestreamGovernorAbi, ...abis.timelockControllerAbi].filter(
  ({ type }) => type === 'error',
) as Abi

interface Action {
  readonly to: Hex
  readonly data: Hex
}

let anvil: Anvil
let world: Awaited<ReturnType<typeof createWorld>>

beforeAll(async () => {
  anvil = await startAnvil()
  world = await createWorld()
})
afterAll(() => anvil.close())

/** Accounts: deployer 0, holders of 60, 30 and 10 percent 1 to 3, canceller 4, a stranger 5, a multisig 6. */
async function createWorld() {
  const transport = http(anvil.rpcUrl)
  const publicClient = createPublicClient({ chain: foundry, transport, pollingInterval: 10, cacheTime: 0 })
  const testClient = createTestClient({ chain: foundry, transport, mode: 'anvil' })
  const people = anvil.accounts.map(({ address }) => address) as [Hex, Hex, Hex, Hex, Hex, Hex, Hex]
  const [deployer, most, some, few, canceller, stranger, multisig] = people

  function deployWith(governance: Governance, salt?: Hex): Promise<Deployment> {
    const account = privateKeyToAccount(anvil.accounts[0]!.privateKey)
    const walletClient = createWalletClient({ chain: foundry, transport, account })
    const rewardToken = { ...TOKEN, holder: most }
    return deploy({
      publicClient: publicClient as never,
      walletClient,
      rewardToken,
      governance,
      ...(salt ? { salt } : {}),
    })
  }

  async function send(account: Hex, address: Hex, abi: Abi, functionName: string, args: unknown[] = []): Promise<void> {
    const call = { account, address, abi: [...abi, ...ERRORS], functionName, args, chain: foundry } as const
    await publicClient.simulateContract(call)
    const hash = await createWalletClient({ chain: foundry, transport }).writeContract(call)
    const { status } = await publicClient.waitForTransactionReceipt({ hash })
    if (status !== 'success') throw new Error(`${functionName} reverted when mined`)
  }

  const read = <T>(address: Hex, abi: Abi, functionName: string, args: unknown[] = []): Promise<T> =>
    publicClient.readContract({ address, abi, functionName, args }) as Promise<T>

  async function advance(seconds: number): Promise<void> {
    await testClient.increaseTime({ seconds })
    await testClient.mine({ blocks: 1 })
  }

  const deployment = await deployWith({ ...TERMS, ...VOTES, canceller })
  const { addresses } = deployment
  const { timelock, governor } = deployment.governance as { timelock: Hex; governor: Hex }
  for (const [to, share] of [
    [some, 300],
    [few, 100],
  ] as const) {
    await send(most, addresses.rewardToken, abis.rewardTokenAbi, 'transfer', [to, parseEther(String(share))])
  }
  for (const holder of [most, some, few]) {
    await send(holder, addresses.rewardToken, abis.rewardTokenAbi, 'delegate', [holder])
  }
  await advance(1) // votes count from the second after
  const project = {
    owner: timelock,
    admitter: most,
    sequencer: most,
    guardian: most,
    rewardToken: addresses.rewardToken,
  }
  const terms = { ...project, rewardPerUnit: 10n ** 12n, cohortSize: 4, delaySec: 0, configHash: 1n }
  await send(most, addresses.projects, abis.projectRegistryAbi, 'create', [terms])

  const proposal = (actions: Action[], text: string) =>
    [actions.map(({ to }) => to), actions.map(() => 0n), actions.map(({ data }) => data), text] as unknown[]
  const hashed = (actions: Action[], text: string) => [...proposal(actions, text).slice(0, 3), keccak256(toHex(text))]
  const govern = (account: Hex, name: string, args: unknown[]) =>
    send(account, governor, abis.attestreamGovernorAbi, name, args)
  const idOf = (actions: Action[], text: string) =>
    read<bigint>(governor, abis.attestreamGovernorAbi, 'hashProposal', hashed(actions, text))

  return {
    ...{ publicClient, addresses, timelock, governor, deployment, deployWith, send, read, advance },
    ...{ deployer, most, some, few, canceller, stranger, multisig },
    propose: (actions: Action[], text: string) => govern(few, 'propose', proposal(actions, text)),
    queue: (actions: Action[], text: string) => govern(stranger, 'queue', hashed(actions, text)),
    /** By a stranger: what is decided and due anybody carries out. */
    execute: (actions: Action[], text: string) => govern(stranger, 'execute', hashed(actions, text)),
    state: async (actions: Action[], text: string) =>
      read<number>(governor, abis.attestreamGovernorAbi, 'state', [await idOf(actions, text)]),
    /** Opens the vote, lets each vote, and closes it. */
    async vote(actions: Action[], text: string, votes: [Hex, number][]): Promise<void> {
      await advance(TERMS.votingDelaySec + 1)
      for (const [voter, support] of votes) await govern(voter, 'castVote', [await idOf(actions, text), support])
      await advance(TERMS.votingPeriodSec + 1)
    },
  }
}

const PROJECT_ID = 1n
const CONTRACTS = {
  projects: abis.projectRegistryAbi as Abi,
  settlement: abis.settlementAbi as Abi,
  rewardToken: abis.rewardTokenAbi as Abi,
  applets: abis.appletRegistryAbi as Abi,
}

function action(contract: keyof typeof CONTRACTS, functionName: string, args: unknown[]): Action {
  return { to: world.addresses[contract], data: encodeFunctionData({ abi: CONTRACTS[contract], functionName, args }) }
}

async function decide(actions: Action[], text: string): Promise<void> {
  await world.propose(actions, text)
  await world.vote(actions, text, [[world.most, SUPPORT.for]])
  await world.queue(actions, text)
}

describe('token holders', () => {
  const newcomer: Hex = `0x${'ab'.repeat(20)}`
  const terms = async () =>
    world.read<{ sequencer: Hex; guardian: Hex; delaySec: number; configHash: bigint }>(
      world.addresses.projects,
      CONTRACTS.projects,
      'termsOf',
      [PROJECT_ID],
    )

  it.each([
    ['budget', 'settlement', 'setBudget', [PROJECT_ID, 5_000n, 86_400], async () => (await world.read<bigint[]>(world.addresses.settlement, CONTRACTS.settlement, 'budgetOf', [PROJECT_ID]))[0], 5_000n], // prettier-ignore
    ['config', 'projects', 'setConfig', [PROJECT_ID, 42n], async () => (await terms()).configHash, 42n],
    ['sequencer', 'projects', 'setSequencer', [PROJECT_ID, newcomer], async () => (await terms()).sequencer.toLowerCase(), newcomer], // prettier-ignore
    ['guardian', 'projects', 'setGuardian', [PROJECT_ID, newcomer], async () => (await terms()).guardian.toLowerCase(), newcomer], // prettier-ignore
    ['upgrade delay', 'projects', 'setDelay', [PROJECT_ID, 86_400], async () => (await terms()).delaySec, 86_400],
  ] as const)(
    'change the %s by a vote, after the delay and not before',
    async (name, contract, functionName, args, value, wanted) => {
      const actions = [action(contract, functionName, [...args])]
      const before = await value()
      for (const account of [world.deployer, world.most]) {
        const direct = world.send(account, world.addresses[contract], CONTRACTS[contract], functionName, [...args])
        await expect(direct).rejects.toThrow('NotProjectOwner')
      }
      await world.propose(actions, name)
      await expect(world.execute(actions, name)).rejects.toThrow('GovernorUnexpectedProposalState')
      await world.vote(actions, name, [[world.most, SUPPORT.for], [world.some, SUPPORT.against]]) // prettier-ignore
      await expect(world.execute(actions, name)).rejects.toThrow('GovernorUnexpectedProposalState')
      await world.queue(actions, name)
      await world.advance(TERMS.timelockDelaySec - 30)
      await expect(world.execute(actions, name)).rejects.toThrow('TimelockUnexpectedOperationState')
      expect(await value()).toBe(before)
      await world.advance(31)
      await world.execute(actions, name)
      expect(await value()).toBe(wanted)
      await expect(world.execute(actions, name)).rejects.toThrow('GovernorUnexpectedProposalState')
    },
  )

  it('fail as a minority, and without a quorum', async () => {
    const actions = [action('projects', 'setConfig', [PROJECT_ID, 666n])]
    await world.propose(actions, 'minority')
    await world.vote(actions, 'minority', [[world.some, SUPPORT.for], [world.few, SUPPORT.for], [world.most, SUPPORT.against]]) // prettier-ignore
    expect(await world.state(actions, 'minority')).toBe(STATE.defeated)
    await expect(world.queue(actions, 'minority')).rejects.toThrow('GovernorUnexpectedProposalState')

    await world.send(world.few, world.addresses.rewardToken, CONTRACTS.rewardToken, 'transfer', [world.some, 1n])
    await world.propose(actions, 'no quorum')
    await world.vote(actions, 'no quorum', [[world.few, SUPPORT.for]])
    expect(await world.state(actions, 'no quorum')).toBe(STATE.defeated)
  })

  it('cannot vote with tokens that come after the vote opened', async () => {
    const actions = [action('projects', 'setConfig', [PROJECT_ID, 667n])]
    await world.propose(actions, 'late tokens')
    await world.advance(TERMS.votingDelaySec + 1)
    const late = [world.stranger, parseEther('600')]
    await world.send(world.most, world.addresses.rewardToken, CONTRACTS.rewardToken, 'transfer', late)
    await world.send(world.stranger, world.addresses.rewardToken, CONTRACTS.rewardToken, 'delegate', [world.stranger])
    await world.vote(actions, 'late tokens', [[world.stranger, SUPPORT.for]])
    expect(await world.state(actions, 'late tokens')).toBe(STATE.defeated)
    await world.send(world.stranger, world.addresses.rewardToken, CONTRACTS.rewardToken, 'transfer', [
      world.most,
      late[1],
    ])
  })

  it('C-10 mint up to the cap and never beyond it', async () => {
    const supply = () => world.read<bigint>(world.addresses.rewardToken, CONTRACTS.rewardToken, 'totalSupply')
    const beyond = [action('rewardToken', 'mint', [world.few, TOKEN.capWei])]
    const rest = [action('rewardToken', 'mint', [world.few, 1n])]
    await decide(beyond, 'too much')
    await decide(rest, 'one more')
    await world.advance(TERMS.timelockDelaySec)
    await expect(world.execute(beyond, 'too much')).rejects.toThrow('CapExceeded')
    await world.execute(rest, 'one more')
    expect(await supply()).toBe(TOKEN.supplyWei + 1n)
  })

  it('take over a project that was not theirs, and hand the registry on', async () => {
    const { addresses, most, timelock, send } = world
    const project = { owner: most, admitter: most, sequencer: most, guardian: most, rewardToken: addresses.rewardToken }
    const terms = { ...project, rewardPerUnit: 1n, cohortSize: 4, delaySec: 0, configHash: 1n }
    await send(most, addresses.projects, CONTRACTS.projects, 'create', [terms])
    await send(most, addresses.projects, CONTRACTS.projects, 'proposeOwner', [2n, timelock])
    const actions = [
      action('projects', 'acceptOwnership', [2n]),
      action('applets', 'proposeGuardian', [most]),
      action('rewardToken', 'transferOwnership', [most]),
    ]
    await decide(actions, 'hand over')
    await world.advance(TERMS.timelockDelaySec)
    await world.execute(actions, 'hand over')
    expect(await world.read(addresses.projects, CONTRACTS.projects, 'ownerOf', [2n])).toBe(timelock)
    await send(most, addresses.applets, CONTRACTS.applets, 'acceptGuardian')
    expect(await world.read(addresses.applets, CONTRACTS.applets, 'guardian')).toBe(most)
    expect(await world.read(addresses.rewardToken, CONTRACTS.rewardToken, 'owner')).toBe(most)
  })
})

describe('the timelock', () => {
  const timelockAbi = abis.timelockControllerAbi as Abi
  const operation = ({ to, data }: Action, salt: Hex = zeroHash) => [to, 0n, data, zeroHash, salt]

  it("C-12 was never the deployer's, nor stays the governor's, to administer: these are all its roles", async () => {
    const { publicClient, timelock, governor, canceller } = world
    const [granted, revoked] = await Promise.all(
      ['RoleGranted', 'RoleRevoked'].map((name) =>
        publicClient.getLogs({
          address: timelock,
          event: parseAbiItem(
            `event ${name}(bytes32 indexed role, address indexed account, address indexed sender)`,
          ) as never,
          fromBlock: 0n,
        }),
      ),
    )
    const roles = (logs: unknown) =>
      (logs as { args: { role: Hex; account: Hex } }[]).map(({ args }) => [args.role, args.account])
    expect(roles(granted)).toEqual([
      [ROLES.admin, timelock],
      [ROLES.admin, governor],
      [ROLES.proposer, governor],
      [ROLES.canceller, governor],
      [ROLES.executor, governor],
      [ROLES.canceller, canceller],
    ])
    expect(roles(revoked)).toEqual([[ROLES.admin, governor]])
  })

  it('C-12 leaves the deployer nothing: no token to mint, no key to stop, no role to give', async () => {
    const other = await world.deployWith({ ...TERMS, ...VOTES }, `0x${'05'.repeat(32)}`)
    const { timelock } = other.governance!
    expect(await world.read(other.addresses.rewardToken, CONTRACTS.rewardToken, 'owner')).toBe(timelock)
    expect(await world.read(other.addresses.applets, CONTRACTS.applets, 'guardian')).toBe(timelock)
    const asDeployer = (address: Hex, abi: Abi, name: string, args: unknown[]) =>
      expect(world.send(world.deployer, address, abi, name, args)).rejects
    await asDeployer(other.addresses.rewardToken, CONTRACTS.rewardToken, 'mint', [world.deployer, 1n]).toThrow('OwnableUnauthorizedAccount') // prettier-ignore
    await asDeployer(other.addresses.rewardToken, CONTRACTS.rewardToken, 'transferOwnership', [world.deployer]).toThrow('OwnableUnauthorizedAccount') // prettier-ignore
    await asDeployer(other.addresses.applets, CONTRACTS.applets, 'stopKey', [zeroHash]).toThrow('NotGuardian')
    for (const role of Object.values(ROLES)) {
      expect(await world.read(timelock, timelockAbi, 'hasRole', [role, world.deployer])).toBe(false)
      await asDeployer(timelock, timelockAbi, 'grantRole', [role, world.deployer]).toThrow('AccessControlUnauthorizedAccount') // prettier-ignore
    }
    await asDeployer(timelock, timelockAbi, 'updateDelay', [0n]).toThrow('TimelockUnauthorizedCaller')
  })

  it('C-09 is passed by nobody: not by a holder, a canceller or a stranger', async () => {
    const change = action('projects', 'setConfig', [PROJECT_ID, 13n])
    for (const account of [world.deployer, world.most, world.canceller, world.stranger]) {
      const schedule = world.send(account, world.timelock, timelockAbi, 'schedule', [...operation(change), 3600n])
      await expect(schedule).rejects.toThrow('AccessControlUnauthorizedAccount')
      const execute = world.send(account, world.timelock, timelockAbi, 'execute', operation(change))
      await expect(execute).rejects.toThrow('AccessControlUnauthorizedAccount')
      const relay = world.send(account, world.governor, abis.attestreamGovernorAbi as Abi, 'relay', [change.to, 0n, change.data]) // prettier-ignore
      await expect(relay).rejects.toThrow('GovernorOnlyExecutor')
    }
  })

  it('lets the canceller, and nobody else, stop what is queued', async () => {
    const actions = [action('projects', 'setConfig', [PROJECT_ID, 14n])]
    await decide(actions, 'to be cancelled')
    const { timelock, governor, canceller, stranger } = world
    // the salt by which the governor queues: its address and the description's hash
    const hash = BigInt(keccak256(toHex('to be cancelled')))
    const salt = toHex((BigInt(governor) << 96n) ^ hash, { size: 32 })
    const batch = [actions.map(({ to }) => to), [0n], actions.map(({ data }) => data), zeroHash, salt]
    const id = await world.read<Hex>(timelock, timelockAbi, 'hashOperationBatch', batch)
    expect(await world.read(timelock, timelockAbi, 'isOperationPending', [id])).toBe(true)
    for (const account of [stranger, world.most, world.deployer]) {
      await expect(world.send(account, timelock, timelockAbi, 'cancel', [id])).rejects.toThrow(
        'AccessControlUnauthorized',
      )
    }
    await world.send(canceller, timelock, timelockAbi, 'cancel', [id])
    await world.advance(TERMS.timelockDelaySec)
    expect(await world.state(actions, 'to be cancelled')).toBe(STATE.canceled)
    await expect(world.execute(actions, 'to be cancelled')).rejects.toThrow('GovernorUnexpectedProposalState')
  })

  it('takes a proposal back for its proposer, and nobody else, until the vote opens', async () => {
    const actions = [action('projects', 'setConfig', [PROJECT_ID, 15n])]
    const { governor, few, most, canceller } = world
    const text = 'to be taken back'
    const proposal = [actions.map(({ to }) => to), [0n], actions.map(({ data }) => data), keccak256(toHex(text))]
    const cancel = (account: Hex) =>
      world.send(account, governor, abis.attestreamGovernorAbi as Abi, 'cancel', [...proposal])
    await world.propose(actions, text)
    for (const account of [most, canceller]) await expect(cancel(account)).rejects.toThrow('GovernorUnableToCancel')
    await cancel(few)
    expect(await world.state(actions, text)).toBe(STATE.canceled)
    await world.propose(actions, 'too late to be taken back')
    proposal[3] = keccak256(toHex('too late to be taken back'))
    await world.advance(TERMS.votingDelaySec + 1)
    await expect(cancel(few)).rejects.toThrow('GovernorUnableToCancel')
  })

  it('carries out what a multisig proposes, the result of a vote elsewhere, by anybody after the delay', async () => {
    const { multisig, stranger, deployer, send } = world
    const other = await world.deployWith({ kind: 'proposer', proposer: multisig, timelockDelaySec: 3600 })
    const { timelock } = other.governance!
    const change = { to: other.addresses.applets, data: encodeFunctionData({ abi: CONTRACTS.applets, functionName: 'proposeGuardian', args: [stranger] }) } // prettier-ignore
    const salt = keccak256(toHex('ipfs://the-vote-and-its-result'))
    for (const account of [deployer, stranger]) {
      const scheduled = send(account, timelock, timelockAbi, 'schedule', [...operation(change, salt), 3600n])
      await expect(scheduled).rejects.toThrow('AccessControlUnauthorizedAccount')
    }
    const hasty = send(multisig, timelock, timelockAbi, 'schedule', [...operation(change, salt), 3599n])
    await expect(hasty).rejects.toThrow('TimelockInsufficientDelay')
    await send(multisig, timelock, timelockAbi, 'schedule', [...operation(change, salt), 3600n])
    await expect(send(multisig, timelock, timelockAbi, 'execute', operation(change, salt))).rejects.toThrow('TimelockUnexpectedOperationState') // prettier-ignore
    await world.advance(3600)
    await send(stranger, timelock, timelockAbi, 'execute', operation(change, salt))
    expect(await world.read(other.addresses.applets, CONTRACTS.applets, 'pendingGuardian')).toBe(stranger)
    expect(await world.read(other.addresses.rewardToken, CONTRACTS.rewardToken, 'owner')).toBe(timelock)
    expect(await world.read(timelock, timelockAbi, 'hasRole', [ROLES.executor, zeroAddress])).toBe(true)
    expect(await world.read(timelock, timelockAbi, 'hasRole', [ROLES.admin, multisig])).toBe(false)
  })
})
