// Store of what changes rarely: applets, circuits, projects, API keys, and the devices that the chain registers.

import type { Hex } from '../core/codec.ts'
import type { NamedRecord } from '../core/layout.ts'
import type { CircuitManifest, CircuitRecord, DeviceRecord, Failure, ProjectRecord } from '../records.ts'
import { transaction, u64Text, type Database, type Row } from './database.ts'
import { fromJson, toJson } from './json.ts'

/** A circuit as it is kept: its record and the directory of its files. */
export interface StoredCircuit extends CircuitRecord {
  readonly directory: string | null
}

export interface Limits {
  readonly limit: number
  readonly offset: number
}

export type Catalogue = ReturnType<typeof createCatalogue>

export function createCatalogue(db: Database) {
  const statements = {
    putApplet: db.prepare('insert or ignore into applets values (?, ?, ?)'),
    applet: db.prepare('select * from applets where applet_id = ?'),
    applets: db.prepare('select * from applets order by created_ms desc, applet_id limit ? offset ?'),
    putCircuit: db.prepare('insert or replace into circuits values (?, ?, ?, ?, ?, ?, ?, ?)'),
    circuits: db.prepare('select * from circuits where applet_id = ? order by cohort_size, frame_size'),
    building: db.prepare("select * from circuits where status = 'building'"),
    putProject: db.prepare('insert or replace into projects values (?, ?)'),
    project: db.prepare('select record from projects where project_id = ?'),
    projects: db.prepare('select record from projects order by project_id desc limit ? offset ?'),
    putConfig: db.prepare('insert or replace into configs values (?, ?, ?)'),
    config: db.prepare('select config from configs where project_id = ? and config_hash = ?'),
    putKey: db.prepare('insert into api_keys values (?, ?, ?)'),
    key: db.prepare('select project_id from api_keys where key_hash = ?'),
    putDevice: db.prepare(
      `insert into devices values (?, ?, ?, ?, ?, ?)
       on conflict (device_id) do update set record = excluded.record`,
    ),
    device: db.prepare('select record, last_sequence from devices where device_id = ?'),
    devices: db.prepare(
      'select record, last_sequence from devices where project_id = ? order by device_id limit ? offset ?',
    ),
    cohort: db.prepare('select record, last_sequence from devices where project_id = ? and cohort = ? order by slot'),
    metadata: db.prepare('select uri from device_metadata where device_id = ?'),
    putMetadata: db.prepare('insert or ignore into device_metadata values (?, ?)'),
    cursor: db.prepare('select next_block from chain_cursor'),
    putCursor: db.prepare('insert or replace into chain_cursor values (1, ?)'),
  }

  return {
    putApplet(appletId: Hex, wasm: Uint8Array, createdMs: number): void {
      statements.putApplet.run(appletId, wasm, createdMs)
    },
    applet(appletId: Hex): { wasm: Uint8Array; createdMs: number } | undefined {
      const row = statements.applet.get(appletId) as Row | undefined
      return row && { wasm: row.wasm as Uint8Array, createdMs: row.created_ms as number }
    },
    appletIds({ limit, offset }: Limits): Hex[] {
      return (statements.applets.all(limit, offset) as Row[]).map((row) => row.applet_id as Hex)
    },

    putCircuit(circuit: StoredCircuit): void {
      const { appletId, cohortSize, frameSize, status, progress, failure, manifest, directory } = circuit
      const json = [failure && toJson(failure), manifest && toJson(manifest)] as const
      statements.putCircuit.run(appletId, cohortSize, frameSize, status, progress, ...json, directory)
    },
    circuits(appletId: Hex): StoredCircuit[] {
      return (statements.circuits.all(appletId) as Row[]).map(circuitOf)
    },
    /** Circuits whose build has not ended, or was interrupted. */
    buildingCircuits(): StoredCircuit[] {
      return (statements.building.all() as Row[]).map(circuitOf)
    },

    putProject(project: ProjectRecord): void {
      statements.putProject.run(u64Text(project.projectId), toJson(project))
    },
    project(projectId: bigint): ProjectRecord | undefined {
      const row = statements.project.get(u64Text(projectId)) as Row | undefined
      return row && projectOf(row)
    },
    projects({ limit, offset }: Limits): ProjectRecord[] {
      return (statements.projects.all(limit, offset) as Row[]).map(projectOf)
    },
    /** Keeps a config by its hash, for the time when the chain has it. */
    putConfig(projectId: bigint, configHash: bigint, config: NamedRecord): void {
      statements.putConfig.run(u64Text(projectId), `${configHash}`, toJson(config))
    },
    config(projectId: bigint, configHash: bigint): NamedRecord | undefined {
      const row = statements.config.get(u64Text(projectId), `${configHash}`) as Row | undefined
      return row && fromJson<NamedRecord>(row.config as string)
    },

    putApiKey(keyHash: Hex, projectId: bigint, createdMs: number): void {
      statements.putKey.run(keyHash, u64Text(projectId), createdMs)
    },
    apiKeyProject(keyHash: Hex): bigint | undefined {
      const row = statements.key.get(keyHash) as Row | undefined
      return row && BigInt(row.project_id as string)
    },

    /** Writes devices and the next block to read in one transaction. A device's last sequence is kept. */
    putDevices(devices: readonly Omit<DeviceRecord, 'lastSequence'>[], nextBlock: bigint): void {
      transaction(db, () => {
        for (const device of devices) {
          const { deviceId, projectId, cohort, slot } = device
          statements.putDevice.run(u64Text(deviceId), u64Text(projectId), cohort, slot, toJson(device), u64Text(0n))
        }
        statements.putCursor.run(nextBlock.toString())
      })
    },
    device(deviceId: bigint): DeviceRecord | undefined {
      const row = statements.device.get(u64Text(deviceId)) as Row | undefined
      return row && deviceOf(row)
    },
    devices(projectId: bigint, { limit, offset }: Limits): DeviceRecord[] {
      return (statements.devices.all(u64Text(projectId), limit, offset) as Row[]).map(deviceOf)
    },
    cohortDevices(projectId: bigint, cohort: number): DeviceRecord[] {
      return (statements.cohort.all(u64Text(projectId), cohort) as Row[]).map(deviceOf)
    },
    /** The metadata URI of a device, once it was put: it never changes. */
    metadataURI(deviceId: bigint): string | undefined {
      const row = statements.metadata.get(u64Text(deviceId)) as Row | undefined
      return row && (row.uri as string)
    },
    putMetadataURI(deviceId: bigint, uri: string): void {
      statements.putMetadata.run(u64Text(deviceId), uri)
    },
    nextBlock(): bigint | undefined {
      const row = statements.cursor.get() as Row | undefined
      return row && BigInt(row.next_block as string)
    },
  }
}

function projectOf(row: Row): ProjectRecord {
  const added: Partial<ProjectRecord> = { stateEpoch: 0, stopped: false, former: null }
  return { ...added, ...fromJson<ProjectRecord>(row.record as string) }
}

function circuitOf(row: Row): StoredCircuit {
  return {
    appletId: row.applet_id as Hex,
    cohortSize: row.cohort_size as number,
    frameSize: row.frame_size as number,
    status: row.status as StoredCircuit['status'],
    progress: row.progress as string | null,
    failure: row.failure === null ? null : fromJson<Failure>(row.failure as string),
    manifest: row.manifest === null ? null : fromJson<CircuitManifest>(row.manifest as string),
    directory: row.directory as string | null,
  }
}

function deviceOf(row: Row): DeviceRecord {
  const record = fromJson<Omit<DeviceRecord, 'lastSequence'>>(row.record as string)
  return { ...record, lastSequence: BigInt(row.last_sequence as string) }
}
