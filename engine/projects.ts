// Projects that the engine serves: each is on chain, its active version is a circuit that this engine built, and its config is the
// one that the chain holds the hash of.

import type { ProjectRecord, ServedVersion } from './records.ts'
import type { Applets } from './applets.ts'
import type { Chain } from './chain/chain.ts'
import type { ChainProject, ChainVersion } from './chain/reads.ts'
import type { AppletAbi } from './core/applet.ts'
import { expectedPin, pinDifferences, type CircuitManifest } from './core/circuit.ts'
import type { Hex } from './core/codec.ts'
import { AttestreamError, isAttestreamError } from './core/errors.ts'
import { frameFormat, type FrameFormat } from './core/frame.ts'
import { configHash } from './core/journal.ts'
import { decodeRecord, encodeRecord, type NamedRecord } from './core/layout.ts'
import type { Store } from './store/index.ts'

export interface ProjectsContext {
  readonly store: Store
  readonly chain: Pick<Chain, 'getProject' | 'getVersion' | 'isVersionStopped'>
  readonly applets: Applets
  readonly nowMs: () => number
  readonly deviceDomain: (projectId: bigint) => bigint
}

export interface Projects {
  /** Serves the version that is active on chain with a config that hashes to the chain's. */
  add(project: { projectId: bigint; config: NamedRecord }): Promise<ProjectRecord>
  /** Keeps a config for an applet, for the time when the chain has its hash, which is returned. */
  prepareConfig(prepared: { projectId: bigint; appletId: Hex; config: NamedRecord }): bigint
  /** Goes over to the version and config that the chain has now; the config as it is, or one that was prepared. */
  follow(projectId: bigint): Promise<ProjectRecord>
  /** Throws PROJECT_UNKNOWN. */
  get(projectId: bigint): ProjectRecord
  /** How frames of a version are read. */
  format(version: Pick<ProjectRecord, 'appletId' | 'frameSize'>): FrameFormat
  /** The project of a device that sent a frame; throws DEVICE_FOREIGN if the engine does not serve it, VERSION_STOPPED if nothing is taken in. */
  serving(projectId: bigint): { project: ProjectRecord; format: FrameFormat }
}

export function createProjects(context: ProjectsContext): Projects {
  const { store, chain, applets, nowMs, deviceDomain } = context
  const known = new Map<bigint, { project: ProjectRecord; format: FrameFormat }>()

  const format: Projects['format'] = ({ appletId, frameSize }) => frameFormat(applets.abi(appletId).reading, frameSize)
  const find = (projectId: bigint) => {
    const cached = known.get(projectId)
    if (cached) return cached
    const project = store.project(projectId)
    if (!project) return undefined
    const entry = { project, format: format(project) }
    known.set(projectId, entry)
    return entry
  }
  const get: Projects['get'] = (projectId) => {
    const found = find(projectId)
    if (found) return found.project
    throw new AttestreamError(
      'PROJECT_UNKNOWN',
      `This engine does not serve project ${projectId}; POST /v1/projects adds it.`,
    )
  }
  const put = (project: ProjectRecord): ProjectRecord => {
    store.putProject(project)
    known.delete(project.projectId)
    return project
  }

  /** Serves what the chain has now; `configOf` gives the config for the version's applet. */
  const serve = async (projectId: bigint, configOf: (layout: AppletAbi['config']) => NamedRecord | undefined) => {
    const onChain = await readProject(chain, projectId)
    const version = await activeVersion(chain, projectId, onChain.activeVersion)
    const { appletId, cohortSize, frameSize, layoutId, stateEpoch } = version
    const abi = applets.abi(appletId)
    requireSameCircuit(applets.circuit(appletId, version).manifest!, abi, version)
    checkPages(context, projectId, version)
    const config = requireConfig(projectId, abi, onChain.configHash, configOf(abi.config))
    const before = store.project(projectId)
    const served: ServedVersion = {
      ...{ projectId, version: version.version, stateEpoch, appletId, cohortSize, frameSize, layoutId },
      ...{ deviceDomain: deviceDomain(projectId), config, configHash: onChain.configHash },
      createdMs: before?.createdMs ?? nowMs(),
    }
    const stopped = await chain.isVersionStopped(projectId, served.version)
    return put({ ...served, stopped, former: before ? await formerVersion(before, served) : null })
  }

  /** What frames acknowledged before may still be anchored under: another version with the config that anchors now get. */
  const formerVersion = async (before: ProjectRecord, served: ServedVersion): Promise<ProjectRecord['former']> => {
    if (before.configHash !== served.configHash) return null
    if (before.version === served.version) return before.former
    const { anchorableUntilTime } = await chain.getVersion(before.projectId, before.version)
    const { stopped: _, former: __, ...version } = before
    return { ...version, anchorableUntilTime }
  }

  return {
    format,
    get,
    serving(projectId) {
      const found = find(projectId)
      if (!found) {
        throw new AttestreamError(
          'DEVICE_FOREIGN',
          `The device belongs to project ${projectId}, which this engine does not serve; send its frames to that project's engine.`,
        )
      }
      if (found.project.stopped) throw stoppedError(found.project)
      return found
    },
    prepareConfig({ projectId, appletId, config }) {
      get(projectId)
      const layout = applets.abi(appletId).config
      const hash = configHash(layout, encodeRecord(layout, config))
      store.putConfig(projectId, hash, config)
      return hash
    },
    add: ({ projectId, config }) => serve(projectId, () => config),
    async follow(projectId) {
      const served = get(projectId)
      const now = await chain.getProject(projectId)
      if (now.configHash !== served.configHash || now.activeVersion !== served.version) {
        const configOf = (layout: AppletAbi['config']) =>
          store.config(projectId, now.configHash) ??
          namedConfig(applets.abi(served.appletId).config, layout, served.config)
        return serve(projectId, configOf).catch((error: unknown) => {
          throw followError(error, projectId, now)
        })
      }
      const stopped = served.stopped || (await chain.isVersionStopped(projectId, served.version))
      return stopped === served.stopped ? served : put({ ...served, stopped })
    },
  }
}

/** Why nothing is done under a stopped version. */
export function stoppedError({ projectId, version }: Pick<ServedVersion, 'projectId' | 'version'>): AttestreamError {
  const message = `Version ${version} of project ${projectId}, or its verifying key, was stopped for ever. Frames are taken in and anchored again once another version is active.`
  return new AttestreamError('VERSION_STOPPED', message, { projectId, version })
}

/** What a project's owner sees changed on chain, but the engine lacks something for, is a mismatch that ends once it has that. */
function followError(error: unknown, projectId: bigint, { activeVersion, configHash: hash }: ChainProject): unknown {
  if (isAttestreamError(error, 'CIRCUIT_NOT_READY', 'APPLET_UNKNOWN')) {
    const message = `Version ${activeVersion} of project ${projectId} is active on chain: ${error.message}`
    return new AttestreamError('PROJECT_VERSION_MISMATCH', message, { activeVersion }, { cause: error })
  }
  if (!isAttestreamError(error, 'RECORD_FIELD_MISSING', 'RECORD_FIELD_UNKNOWN', 'RECORD_FIELD_OUT_OF_RANGE'))
    return error
  const message = `The config that the engine has for configHash ${hash} of project ${projectId} does not fit version ${activeVersion}: ${error.message}`
  return new AttestreamError('PROJECT_CONFIG_MISMATCH', message, { activeVersion }, { cause: error })
}

/** The present config for another applet that has the same fields. */
function namedConfig(
  layout: AppletAbi['config'],
  next: AppletAbi['config'],
  config: readonly bigint[],
): NamedRecord | undefined {
  const names = (fields: AppletAbi['config']) => fields.map(({ name }) => name).join()
  return names(layout) === names(next) ? decodeRecord(layout, config) : undefined
}

function requireConfig(projectId: bigint, abi: AppletAbi, onChain: bigint, config: NamedRecord | undefined): bigint[] {
  const record = config && encodeRecord(abi.config, config)
  const hash = record && configHash(abi.config, record)
  if (record && hash === onChain) return record
  const came = hash === undefined ? 'The engine knows no config for' : `The config hashes to ${hash};`
  throw new AttestreamError(
    'PROJECT_CONFIG_MISMATCH',
    `${came} the applet of project ${projectId}; the chain holds ${onChain}. Set the same config on chain, or POST the one that the chain has to /v1/projects or /v1/projects/${projectId}/configs.`,
  )
}

/** Throws PROJECT_VERSION_MISMATCH unless the chain pins to the version exactly the circuit that this engine built. */
export function requireSameCircuit(manifest: CircuitManifest, abi: AppletAbi, version: ChainVersion): void {
  const differences = pinDifferences(expectedPin(manifest, abi), version)
  if (differences.length === 0) return
  const told = differences.map(
    ({ field, expected, came }) => `${field} ${came}, where this engine's circuit has ${expected}`,
  )
  throw new AttestreamError(
    'PROJECT_VERSION_MISMATCH',
    `Version ${version.version} of project ${version.projectId} pins ${told.join('; ')}. Publish the circuit that this engine built, or give the engine the key's files.`,
    { fields: differences.map(({ field }) => field) },
  )
}

/**
 * The pages of the project's cohorts go on under another version only if it packs State alike, for as many slots, or is of a later epoch,
 * to which they are upgraded.
 */
function checkPages(
  { store, applets }: Pick<ProjectsContext, 'store' | 'applets'>,
  projectId: bigint,
  { version, appletId, cohortSize, stateEpoch }: ChainVersion,
): void {
  const newest = store.newestTask(projectId)
  if (!newest) return
  const fields = (id: Hex) => applets.abi(id).state.map(({ name, type, bits }) => `${name}:${type}:${bits}`)
  const [has, wants] = [fields(newest.work.appletId).join(), fields(appletId).join()]
  const isSameState = stateEpoch === newest.work.stateEpoch && has === wants
  if ((isSameState || stateEpoch > newest.work.stateEpoch) && newest.work.leaves.length === cohortSize) return
  throw new AttestreamError(
    'PROJECT_STATE_INCOMPATIBLE',
    `Version ${version} of project ${projectId} keeps State (${wants}) of epoch ${stateEpoch} for ${cohortSize} slots; the project's ledger pages hold (${has}) of epoch ${newest.work.stateEpoch} for ${newest.work.leaves.length}. Activate a version with the same State, or publish one that resets it.`,
  )
}

async function readProject(chain: Pick<Chain, 'getProject'>, projectId: bigint) {
  try {
    return await chain.getProject(projectId)
  } catch (cause) {
    if (!isAttestreamError(cause, 'CHAIN_REVERTED') || cause.details.error !== 'ProjectUnknown') throw cause
    const message = `The chain has no project ${projectId}; create it there first.`
    throw new AttestreamError('PROJECT_UNKNOWN', message, {}, { cause })
  }
}

async function activeVersion(chain: ProjectsContext['chain'], projectId: bigint, version: number) {
  if (version === 0) {
    throw new AttestreamError(
      'PROJECT_VERSION_MISMATCH',
      `Project ${projectId} has no active applet version on chain; publish and activate one first.`,
    )
  }
  return chain.getVersion(projectId, version)
}
