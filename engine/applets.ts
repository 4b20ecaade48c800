// Applets and their circuits: checks an upload, keeps it under its hash, builds its circuit in the background.

import type { AppletRecord, CircuitRecord } from './records.ts'
import type { BuildOptions, CircuitArtefacts } from '../circuits/build.ts'
import { appletId as hashApplet, parseAppletAbi, type AppletAbi } from './core/applet.ts'
import type { Hex } from './core/codec.ts'
import { AttestreamError } from './core/errors.ts'
import type { DataAvailability } from './da/embedded.ts'
import { failureOf } from './failure.ts'
import type { Store, StoredCircuit } from './store/index.ts'

export interface AppletsContext {
  readonly store: Store
  readonly da: DataAvailability
  readonly nowMs: () => number
  /** Throws APPLET_* unless the sandbox takes the applet, it answers a reading of zeros within its budget, and it can become a circuit. */
  readonly tryOut: (wasm: Uint8Array, abi: AppletAbi) => Promise<void>
  /** Throws CIRCUIT_SHAPE_INVALID for a circuit that the applet cannot have. */
  readonly checkShape: (abi: AppletAbi, shape: Shape) => void
  readonly build: (wasm: Uint8Array, options: Omit<BuildOptions, 'cacheDir'>) => Promise<CircuitArtefacts>
}

export interface Shape {
  readonly cohortSize: number
  readonly frameSize: number
}

export interface Applets {
  add(wasm: Uint8Array): Promise<AppletRecord>
  get(appletId: Hex): AppletRecord
  wasm(appletId: Hex): Uint8Array
  abi(appletId: Hex): AppletAbi
  /** Throws APPLET_UNKNOWN or CIRCUIT_SHAPE_INVALID. */
  buildCircuit(appletId: Hex, shape: Shape): CircuitRecord
  /** The finished circuit; throws CIRCUIT_NOT_READY. */
  circuit(appletId: Hex, shape: Shape): StoredCircuit
  /** Begins again the builds that a former run did not end. */
  resume(): void
  /** Waits for the builds under way. */
  close(): Promise<void>
}

export function createApplets(context: AppletsContext): Applets {
  const { store, nowMs } = context
  const builds = new Map<string, Promise<void>>()
  const abis = new Map<Hex, AppletAbi>()

  const stored = (appletId: Hex) => {
    const applet = store.applet(appletId)
    if (applet) return applet
    throw new AttestreamError(
      'APPLET_UNKNOWN',
      `No applet ${appletId} was uploaded; POST its WASM to /v1/applets first.`,
    )
  }
  const abi = (appletId: Hex): AppletAbi => {
    const known = abis.get(appletId) ?? parseAppletAbi(stored(appletId).wasm)
    abis.set(appletId, known)
    return known
  }
  const get = (appletId: Hex): AppletRecord => {
    const { wasm, createdMs } = stored(appletId)
    const circuits = store.circuits(appletId).map(publicCircuit)
    return { appletId, abi: abi(appletId), sizeBytes: wasm.length, createdMs, circuits }
  }
  const find = (appletId: Hex, { cohortSize, frameSize }: Shape): StoredCircuit | undefined =>
    store.circuits(appletId).find((circuit) => circuit.cohortSize === cohortSize && circuit.frameSize === frameSize)

  const build = async (appletId: Hex, shape: Shape): Promise<void> => {
    const base = { appletId, ...shape, progress: null, failure: null, manifest: null, directory: null }
    const onProgress: BuildOptions['onProgress'] = ({ stage, fraction }) => {
      const progress = fraction === undefined ? stage : `${stage} ${Math.round(fraction * 100)}%`
      store.putCircuit({ ...base, status: 'building', progress })
    }
    try {
      const { manifest, dir } = await context.build(stored(appletId).wasm, { ...shape, onProgress })
      store.putCircuit({ ...base, status: 'ready', manifest, directory: dir })
    } catch (error) {
      store.putCircuit({ ...base, status: 'failed', failure: failureOf(error) })
    }
  }

  const startBuild = (appletId: Hex, shape: Shape): CircuitRecord => {
    context.checkShape(abi(appletId), shape)
    const key = `${appletId}:${shape.cohortSize}:${shape.frameSize}`
    if (!builds.has(key) && find(appletId, shape)?.status !== 'ready') {
      const base = { appletId, ...shape, failure: null, manifest: null, directory: null }
      store.putCircuit({ ...base, status: 'building', progress: 'queued' })
      builds.set(
        key,
        build(appletId, shape).finally(() => builds.delete(key)),
      )
    }
    return publicCircuit(find(appletId, shape)!)
  }

  return {
    get,
    abi,
    wasm: (appletId) => stored(appletId).wasm,
    async add(wasm) {
      const appletId = hashApplet(wasm)
      if (!store.applet(appletId)) {
        await context.tryOut(wasm, parseAppletAbi(wasm))
        await context.da.put(wasm)
        store.putApplet(appletId, wasm, nowMs())
      }
      return get(appletId)
    },
    buildCircuit: startBuild,
    resume() {
      for (const { appletId, cohortSize, frameSize } of store.buildingCircuits()) {
        startBuild(appletId, { cohortSize, frameSize })
      }
    },
    circuit(appletId, shape) {
      const circuit = find(appletId, shape)
      if (circuit?.status === 'ready') return circuit
      throw new AttestreamError(
        'CIRCUIT_NOT_READY',
        `The circuit of applet ${appletId} for cohorts of ${shape.cohortSize} and frames of ${shape.frameSize} is ${circuit?.status ?? 'not built'}; POST /v1/applets/{id}/circuits builds it.`,
      )
    },
    async close() {
      await Promise.allSettled(builds.values())
    },
  }
}

function publicCircuit({ directory: _, ...circuit }: StoredCircuit): CircuitRecord {
  return circuit
}
