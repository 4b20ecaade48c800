// The journal: what a task claims in public. Its order is declared here once; circuits, contracts and receipts follow it.
// Also the values that the chain fixes and the circuit binds: deviceDomain, binding, configHash and the anchor.

import { keccak_256 } from '@noble/hashes/sha3.js'
import { bytesToHex, bytesToInteger, concatBytes, hexToBytes, integerToBytes, type Hex } from './codec.ts'
import { packWords, type Layout, type RawRecord } from './layout.ts'
import { SPONGE_TAG, sponge } from './poseidon.ts'

/** Names of the public signals before the lanes, in order. */
export const JOURNAL_FIELDS = [
  'identityRoot',
  'ledgerBefore',
  'ledgerAfter',
  'batchRoot',
  'configHash',
  'deviceDomain',
  'anchorTime',
  'binding',
] as const

export type JournalField = (typeof JOURNAL_FIELDS)[number]

/** Public signals by name. `lanes` has D/4 entries of four 64-bit sums of units each. */
export type Journal = Readonly<Record<JournalField, bigint>> & { readonly lanes: readonly bigint[] }

/** Who asks where: the fields that deviceDomain and binding commit to. Addresses are 0x + 40 hex digits. */
export interface Domain {
  readonly chainId: number
  readonly registry: Hex
  readonly settlement: Hex
  readonly projectId: bigint
}

/** The snapshot that an anchor commits to. `anchorTime` in seconds, set by the chain. */
export interface AnchorFields {
  readonly batchRoot: bigint
  readonly identityRoot: bigint
  readonly configHash: bigint
  readonly version: number
  readonly anchorTime: bigint
  readonly daPointer: Hex
}

const LANES_PER_WORD = 4
const LANE_BITS = 64n

/** The public signals in circuit order. */
export function journalSignals(journal: Journal): bigint[] {
  return [...JOURNAL_FIELDS.map((name) => journal[name]), ...journal.lanes]
}

/** Packs units per slot (each < 2^38) into lanes, four to a word at 64-bit strides, first slot lowest. */
export function packLanes(units: readonly bigint[]): bigint[] {
  return Array.from({ length: units.length / LANES_PER_WORD }, (_, word) =>
    units
      .slice(word * LANES_PER_WORD, (word + 1) * LANES_PER_WORD)
      .reduce((sum, value, lane) => sum + (value << (LANE_BITS * BigInt(lane))), 0n),
  )
}

/** Units per slot of packed lanes. */
export function unpackLanes(lanes: readonly bigint[]): bigint[] {
  return lanes.flatMap((word) =>
    Array.from({ length: LANES_PER_WORD }, (_, lane) => BigInt.asUintN(64, word >> (LANE_BITS * BigInt(lane)))),
  )
}

/** keccak256(abi.encode(chainId, registry, settlement, projectId)) >> 8. */
export function deviceDomain(domain: Domain): bigint {
  return (
    keccakWords(BigInt(domain.chainId), address(domain.registry), address(domain.settlement), domain.projectId) >> 8n
  )
}

/** keccak256(abi.encode(chainId, settlement, projectId, version, cohort, batchNumber, payee)) >> 8. */
export function binding(
  domain: Domain,
  task: { readonly version: number; readonly cohort: number; readonly batchNumber: bigint; readonly payee: Hex },
): bigint {
  const { chainId, settlement, projectId } = domain
  const place = [BigInt(task.version), BigInt(task.cohort), task.batchNumber]
  return keccakWords(BigInt(chainId), address(settlement), projectId, ...place, address(task.payee)) >> 8n
}

/** Poseidon commitment to the applet's Config. */
export function configHash(config: Layout, record: RawRecord): bigint {
  return sponge(SPONGE_TAG.config, packWords(config, record))
}

/** What the chain stores for an anchored batch: keccak256(abi.encode(all fields)). */
export function anchorHash(anchor: AnchorFields): Hex {
  const { batchRoot, identityRoot, configHash, version, anchorTime, daPointer } = anchor
  const pointer = bytesToInteger(hexToBytes(daPointer, 32))
  const hash = keccakWords(batchRoot, identityRoot, configHash, BigInt(version), anchorTime, pointer)
  return bytesToHex(integerToBytes(hash, 32))
}

function keccakWords(...words: bigint[]): bigint {
  return bytesToInteger(keccak_256(concatBytes(...words.map((word) => integerToBytes(word, 32)))))
}

function address(value: Hex): bigint {
  return bytesToInteger(hexToBytes(value, 20))
}
