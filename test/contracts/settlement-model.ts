// What the contracts should hold, in numbers and lists: the model that random sequences of calls are compared with. Each method
// says whether the call should be taken and, if so, does it. One project, cohorts of four, one verifying key.

import { poseidon } from '../../engine/core/poseidon.ts'
import { GENESIS, MAX_UNITS } from './stage.ts'

export const SLOTS = 4
export const MAX_NUMBERS = 32n
const MOST = BigInt(SLOTS) * MAX_UNITS

export interface ModelAnchor {
  readonly cohort: number
  readonly number: bigint
  readonly version: number
  state: 'open' | 'settled' | 'void'
}

export interface ModelDevice {
  readonly cohort: number
  readonly slot: number
  owner: number
  status: 'active' | 'suspended' | 'revoked'
  changedOnDay: number
}

interface ModelCohort {
  /** Opens the ledger; undefined before the first anchor. */
  page?: { sequencesHash: bigint; statesHash: bigint }
  started: boolean
  epoch: number
  nextToAnchor: bigint
  nextToSettle: bigint
  readonly credited: bigint[]
  readonly claimed: bigint[]
}

/** Sums of units; `limitUnits` undefined without a budget. */
export class SettlementModel {
  readonly anchors: ModelAnchor[] = []
  readonly devices: ModelDevice[] = []
  readonly cohorts: ModelCohort[] = []
  readonly versions: { epoch: number; stopped: boolean }[] = [{ epoch: 0, stopped: false }]
  escrow: bigint
  reserved = 0n
  credited = 0n
  paid = 0n
  budgetUsed = 0n
  limitUnits: bigint | undefined
  day = 0

  constructor(escrow: bigint) {
    this.escrow = escrow
  }

  get free(): bigint {
    return this.escrow - this.reserved - this.credited
  }

  open(cohort: number): ModelAnchor[] {
    return this.anchors.filter((anchor) => anchor.cohort === cohort && anchor.state === 'open')
  }

  ledger(cohort: number): bigint {
    const page = this.cohorts[cohort]!.page
    return page ? poseidon([page.sequencesHash, page.statesHash]) : 0n
  }

  register(owner: number): ModelDevice {
    const place = this.devices.length
    const device = { cohort: Math.floor(place / SLOTS), slot: place % SLOTS, owner, changedOnDay: -1 }
    if (device.slot === 0) {
      const numbers = { nextToAnchor: 0n, nextToSettle: 0n, epoch: 0, started: false }
      this.cohorts.push({ ...numbers, credited: Array(SLOTS).fill(0n), claimed: Array(SLOTS).fill(0n) })
    }
    this.devices.push({ ...device, status: 'active' })
    return this.devices.at(-1)!
  }

  transfer(device: ModelDevice, from: number, to: number): boolean {
    if (device.owner !== from) return false
    if (from !== to && device.status === 'active') device.status = 'suspended'
    device.owner = to
    return true
  }

  rotate(device: ModelDevice, sender: number): boolean {
    if (device.owner !== sender || device.status === 'revoked' || device.changedOnDay === this.day) return false
    device.status = 'active'
    device.changedOnDay = this.day
    return true
  }

  revoke(device: ModelDevice): boolean {
    if (device.status === 'revoked') return false
    device.status = 'revoked'
    return true
  }

  /** All of the batches or none, under the newest version; one of each cohort named, in order. */
  anchor(cohorts: readonly number[]): boolean {
    const { epoch, stopped } = this.versions.at(-1)!
    const reserved = this.reserved + MOST * BigInt(cohorts.length)
    const used = this.budgetUsed + reserved
    if (stopped || reserved - this.reserved > this.free) return false
    if (this.limitUnits !== undefined && used > this.limitUnits) return false
    const fits = cohorts.every((cohort, i) => {
      const { started, epoch: own, nextToAnchor, nextToSettle } = this.cohorts[cohort]!
      const before = cohorts.slice(0, i).filter((other) => other === cohort).length
      const isOpen = this.open(cohort).length + before > 0
      const span = nextToAnchor + BigInt(before) - (this.open(cohort).length > 0 ? nextToSettle : nextToAnchor)
      return (own === epoch || (!started && !isOpen) || (!started && before > 0)) && span < MAX_NUMBERS
    })
    if (!fits) return false
    for (const cohort of cohorts) this.append(cohort, epoch)
    this.reserved = reserved
    return true
  }

  private append(cohort: number, epoch: number): void {
    const page = this.cohorts[cohort]!
    if (this.open(cohort).length === 0) {
      page.nextToSettle = page.nextToAnchor
      if (!page.started) {
        page.page = { sequencesHash: GENESIS.sequencesHash, statesHash: GENESIS.statesHash }
        page.epoch = epoch
      }
    }
    this.anchors.push({ cohort, number: page.nextToAnchor++, version: this.versions.length, state: 'open' })
  }

  /** The receipts in order; those settled before count for nothing if `passOver`. */
  settle(receipts: readonly { anchor: ModelAnchor; units: readonly bigint[] }[], passOver: boolean): boolean {
    const fresh = receipts.filter(({ anchor }, i) => {
      const again = receipts.slice(0, i).some((earlier) => earlier.anchor === anchor)
      return !passOver || !(again || anchor.number < this.cohorts[anchor.cohort]!.nextToSettle)
    })
    const queues = this.cohorts.map((_, cohort) => this.open(cohort))
    const isTaken = fresh.every(({ anchor, units }) => {
      if (this.versions[anchor.version - 1]!.stopped || units.some((value) => value > MAX_UNITS)) return false
      return queues[anchor.cohort]!.shift() === anchor
    })
    if (!isTaken) return false
    for (const { anchor, units } of fresh) this.credit(anchor, units)
    return true
  }

  private credit(anchor: ModelAnchor, units: readonly bigint[]): void {
    const page = this.cohorts[anchor.cohort]!
    const total = units.reduce((sum, value) => sum + value, 0n)
    anchor.state = 'settled'
    page.started = true
    page.nextToSettle = anchor.number + 1n
    page.page = pageAfter(anchor)
    units.forEach((value, slot) => (page.credited[slot]! += value))
    this.reserved -= MOST
    this.credited += total
    if (this.limitUnits !== undefined) this.budgetUsed += total
  }

  /** By the sequencer. */
  void(cohort: number, from: bigint): boolean {
    const page = this.cohorts[cohort]!
    if (from < page.nextToSettle || from >= page.nextToAnchor) return false
    for (const anchor of this.open(cohort).filter(({ number }) => number >= from)) {
      anchor.state = 'void'
      this.reserved -= MOST
    }
    if (from === page.nextToSettle) page.nextToSettle = page.nextToAnchor
    return true
  }

  /** Units that the devices, each counted once, pay to their owner; undefined if that is refused. */
  claim(devices: readonly ModelDevice[], owner: number): bigint | undefined {
    if (devices.some((device) => device.owner !== owner)) return undefined
    let total = 0n
    for (const { cohort, slot } of new Set(devices)) {
      const { credited, claimed } = this.cohorts[cohort]!
      total += credited[slot]! - claimed[slot]!
    }
    if (total === 0n) return undefined
    for (const { cohort, slot } of devices) this.cohorts[cohort]!.claimed[slot] = this.cohorts[cohort]!.credited[slot]!
    this.paid += total
    return total
  }

  withdraw(units: bigint): boolean {
    if (units > this.free) return false
    this.escrow -= units
    return true
  }

  publish(resetsState: boolean): void {
    this.versions.push({ epoch: this.versions.at(-1)!.epoch + (resetsState ? 1 : 0), stopped: false })
  }

  upgrade(cohort: number): boolean {
    const page = this.cohorts[cohort]!
    const { epoch, stopped } = this.versions.at(-1)!
    if (stopped || this.open(cohort).length > 0 || epoch <= page.epoch || !page.page) return false
    page.page = { ...page.page, statesHash: GENESIS.statesHash }
    page.epoch = epoch
    return true
  }
}

/** What opens the ledger after a batch: another pair for each. */
export function pageAfter({ cohort, number }: ModelAnchor): { sequencesHash: bigint; statesHash: bigint } {
  return { sequencesHash: 1000n + number, statesHash: 2000n + BigInt(cohort) }
}
