/**
 * What a recording is to the demo: a header to know it by, and how its rows become readings of devices.
 */
import type { Row } from './rows.ts'

/** All but storage, which pays one answer per config. */
export const DATASET_APPLETS = [
  'energy-meter',
  'movement',
  'uptime',
  'air-quality',
  'bandwidth',
  'cold-chain',
  'coverage',
  'ev-charging',
  'liveness',
  'parking',
  'solar',
  'water',
  'weather',
] as const
export type DatasetApplet = (typeof DATASET_APPLETS)[number]

/** Field values by name, as the applet's Reading and Config declare them. */
export type Values = Readonly<Record<string, number>>

/** A kind of CSV: known by its header row, made into readings row by row. */
export interface Recording {
  readonly applet: DatasetApplet
  /** The header row. */
  readonly header: string
  readonly source: string
  /** A mapper keeps what it must remember between rows; what it returns belongs to the named devices. */
  readonly createMapper: () => (row: Row) => readonly DeviceReading[]
}

export interface DeviceReading {
  readonly device: string
  readonly values: Values
}
