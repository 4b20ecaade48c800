// Values that several core tests share: layouts with every kind of field, a batch, a receipt that is consistent in itself.

import { type Hex } from '../../engine/core/codec.ts'
import { binding, deviceDomain, type Domain } from '../../engine/core/journal.ts'
import type { Layout } from '../../engine/core/layout.ts'
import type { Receipt } from '../../engine/core/receipt.ts'

export const ALL_TYPES: Layout = [
  { name: 'flag', type: 'bool', bits: 1, offset: 0 },
  { name: 'tiny', type: 'i8', bits: 5, offset: 1 },
  { name: 'count', type: 'u16', bits: 16, offset: 2 },
  { name: 'celsius', type: 'i16', bits: 12, offset: 4 },
  { name: 'timeSec', type: 'u32', bits: 32, offset: 8 },
  { name: 'latitude', type: 'i32', bits: 28, offset: 12 },
  { name: 'total', type: 'u64', bits: 64, offset: 16 },
  { name: 'delta', type: 'i64', bits: 64, offset: 24 },
  { name: 'second', type: 'u64', bits: 60, offset: 32 },
]

export const DOMAIN: Domain = {
  chainId: 31337,
  registry: `0x${'c3'.repeat(20)}`,
  settlement: `0x${'5e'.repeat(20)}`,
  projectId: 7n,
}

const PAYEE: Hex = `0x${'9a'.repeat(20)}`

/** A receipt whose derived fields agree; its proof is no proof. */
export function sampleReceipt(): Receipt {
  const task = { version: 2, cohort: 1, batchNumber: 12n, payee: PAYEE }
  return {
    ...DOMAIN,
    ...task,
    appletId: `0x${'ab'.repeat(32)}`,
    daPointer: `0x${'da'.repeat(32)}`,
    devSetup: true,
    journal: {
      identityRoot: 11n,
      ledgerBefore: 12n,
      ledgerAfter: 13n,
      batchRoot: 14n,
      configHash: 15n,
      deviceDomain: deviceDomain(DOMAIN),
      anchorTime: 1_700_000_000n,
      binding: binding(DOMAIN, task),
      lanes: [2n ** 200n],
    },
    seal: `0x${'01'.repeat(260)}`,
  }
}
