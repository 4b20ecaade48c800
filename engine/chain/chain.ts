// The chain as the engine sees it: what the contracts hold, what happened, and the transactions, in one object. There is no
// port here: viem is the port, and any EVM chain with the contracts deployed will do.

import type { Addresses } from '../../contracts/deploy.ts'
import type { AcknowledgementContent } from '../core/acknowledgement.ts'
import type { Hex } from '../core/codec.ts'
import { AttestreamError } from '../core/errors.ts'
import { connect, type ConnectionOptions } from './connection.ts'
import { createEvents, type Events } from './events.ts'
import { finalityOf } from './finality.ts'
import { createGasPrice, type GasPrice } from './gas-price.ts'
import type { Outbox } from './outbox.ts'
import { createReads, type Reads } from './reads.ts'
import { onChain } from './reverts.ts'
import type { PendingTransaction } from './transactions.ts'
import { createAcknowledger, signAdmission, signRotation, type Admission, type Rotation } from './typed-data.ts'
import { cohortKey, createWrites, type Writes } from './writes.ts'

export interface ChainOptions extends ConnectionOptions {
  readonly addresses: Addresses
  /** Block of the deployment: events are never looked for earlier. Default 0. */
  readonly fromBlock?: bigint
}

export interface Chain extends Reads, Events, Writes {
  readonly chainId: number
  readonly addresses: Addresses
  /** Address of the operator's key. */
  readonly operator: Hex
  /** Blocks after which no reorganisation is expected any more. */
  readonly finalityBlocks: number
  /** What gas costs now and cost lately, as far as it is known. */
  gasPrice(): GasPrice | undefined
  /** The operator's transactions that do not count yet. */
  pendingTransactions(): PendingTransaction[]
  /** Looks whether what counted is still on chain: the operator's transactions that are not are followed again. */
  recheckTransactions(): Promise<void>
  /** Resolves when no transaction is open that anchors, or settles, batches of the cohort; throws what holds one up. */
  untilDecided(kind: 'anchor' | 'settle', projectId: bigint, cohort: number): Promise<void>
  /** Stops following transactions; those who wait for one get ENGINE_CLOSED. */
  close(): Promise<void>
  /** Signs an admission with the key of the project's admitter. */
  signAdmission(privateKey: Hex, admission: Admission): Promise<Hex>
  /** Signs a key's rotation with the key of the project's admitter. */
  signRotation(privateKey: Hex, rotation: Rotation): Promise<Hex>
  /** Signs an acknowledgement with the operator's key. */
  signAcknowledgement(content: AcknowledgementContent): Hex
}

/**
 * Connects to a node with the contracts deployed; throws CHAIN_UNREACHABLE, CHAIN_UNAVAILABLE or CHAIN_MISMATCH. The operator's
 * transactions are written down in `outbox`, by default in memory, and those that are open there are followed at once.
 */
export async function createChain(options: ChainOptions, outbox?: Outbox): Promise<Chain> {
  const { addresses, chainId } = options
  const connection = await connect(options, outbox)
  const { transactions } = connection
  const code = await onChain('look for the contracts', () =>
    connection.publicClient.getCode({ address: addresses.settlement }),
  )
  if (code === undefined) {
    await connection.close()
    const message = `Chain ${chainId} at ${options.rpcUrl} has no contract at ${addresses.settlement}; deploy first.`
    throw new AttestreamError('CHAIN_MISMATCH', message, { settlement: addresses.settlement })
  }
  const reads = createReads(connection.publicClient, addresses)
  const events = createEvents(connection.publicClient, addresses, options.fromBlock ?? 0n)
  return {
    chainId,
    addresses,
    operator: connection.operator,
    finalityBlocks: finalityOf(chainId, options).finalityBlocks,
    ...reads,
    ...events,
    ...createWrites(connection, addresses, reads, events),
    gasPrice: createGasPrice(connection.publicClient),
    pendingTransactions: () => transactions.pending(),
    recheckTransactions: () => onChain('look at the transactions again', () => transactions.recheck()),
    untilDecided: (kind, projectId, cohort) => transactions.untilDecided([cohortKey(kind, projectId, cohort)]),
    close: () => connection.close(),
    signAdmission: (privateKey, admission) =>
      signAdmission(privateKey, { chainId, verifyingContract: addresses.devices }, admission),
    signRotation: (privateKey, rotation) =>
      signRotation(privateKey, { chainId, verifyingContract: addresses.devices }, rotation),
    signAcknowledgement: createAcknowledger(options.privateKey, { chainId, verifyingContract: addresses.settlement }),
  }
}
