// The chain as the engine sees it: what the contracts hold, what happened, and the transactions, in one object. There is no
// port here: viem is the port, and any EVM chain with the contracts deployed will do.

import type { Addresses } from '../../contracts/deploy.ts'
import type { AcknowledgementContent } from '../core/acknowledgement.ts'
import type { Hex } from '../core/codec.ts'
import { AttestreamError } from '../core/errors.ts'
import { connect, type ConnectionOptions } from './connection.ts'
import { createEvents, type Events } from './events.ts'
import { createReads, type Reads } from './reads.ts'
import { onChain } from './reverts.ts'
import { createAcknowledger, signAdmission, signRotation, type Admission, type Rotation } from './typed-data.ts'
import { createWrites, type Writes } from './writes.ts'

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
  /** Signs an admission with the key of the project's admitter. */
  signAdmission(privateKey: Hex, admission: Admission): Promise<Hex>
  /** Signs a key's rotation with the key of the project's admitter. */
  signRotation(privateKey: Hex, rotation: Rotation): Promise<Hex>
  /** Signs an acknowledgement with the operator's key. */
  signAcknowledgement(content: AcknowledgementContent): Hex
}

/** Connects to a node with the contracts deployed; throws CHAIN_UNAVAILABLE or CHAIN_MISMATCH. */
export async function createChain(options: ChainOptions): Promise<Chain> {
  const { addresses, chainId } = options
  const connection = await connect(options)
  const code = await onChain('look for the contracts', () =>
    connection.publicClient.getCode({ address: addresses.settlement }),
  )
  if (code === undefined) {
    const message = `Chain ${chainId} at ${options.rpcUrl} has no contract at ${addresses.settlement}; deploy first.`
    throw new AttestreamError('CHAIN_MISMATCH', message, { settlement: addresses.settlement })
  }
  const reads = createReads(connection.publicClient, addresses)
  const events = createEvents(connection.publicClient, addresses, options.fromBlock ?? 0n)
  return {
    chainId,
    addresses,
    operator: connection.operator,
    ...reads,
    ...events,
    ...createWrites(connection, addresses, reads, events),
    signAdmission: (privateKey, admission) =>
      signAdmission(privateKey, { chainId, verifyingContract: addresses.devices }, admission),
    signRotation: (privateKey, rotation) =>
      signRotation(privateKey, { chainId, verifyingContract: addresses.devices }, rotation),
    signAcknowledgement: createAcknowledger(options.privateKey, { chainId, verifyingContract: addresses.settlement }),
  }
}
