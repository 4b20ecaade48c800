// Projects that the engine serves: each is on chain, its active version is a circuit that this engine built, and its config is the
// one that the chain holds the hash of.

import type { ProjectRecord } from './records.ts'
import type { Applets } from './applets.ts'
import type { Chain } from './chain/chain.ts'
import type { ChainVersion } from './chain/reads.ts'
import type { AppletAbi } from './core/applet.ts'
import { expectedPin, pinDifferences, type CircuitManifest } from './core/circuit.ts'
import type { Hex } from './core/codec.ts'
import { AttestreamError, isAttestreamError } from './core/errors.ts'
import { frameFormat, type FrameFormat } from './core/frame.ts'
import { configHash } from './core/journal.ts'
import { encodeRecord, type NamedRecord } from './core/layout.ts'
import type { Store } from './store/index.ts'

export interface ProjectsContext {
  readonly store: Store
  readonly chain: Pick<Chain, 'getProject' | 'getVersion'>
  readonly applets: Applets
  readonly nowMs: () => number
  readonly deviceDomain: (projectId: bigint) => bigint
}

export interface Projects {
  add(project: { projectId: bigint; config: NamedRecord }): Promise<ProjectRecord>
  /** Throws PROJECT_UNKNOWN. */
  get(projectId: bigint): ProjectRecord
  /** How frames of a version are read. */
  format(version: Pick<ProjectRecord, 'appletId' | 'frameSize'>): FrameFormat
  /** The project of a device that sent a frame; throws DEVICE_FOREIGN if the engine does not serve it. */
  serving(projectId: bigint): { project: ProjectRecord; format: FrameFormat }
}

export function createProjects({ store, chain, applets, nowMs, deviceDomain }: ProjectsContext): Projects {
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

  return {
    format,
    get(projectId) {
      const found = find(projectId)
      if (found) return found.project
      throw new AttestreamError(
        'PROJECT_UNKNOWN',
        `This engine does not serve project ${projectId}; POST /v1/projects adds it.`,
      )
    },
    serving(projectId) {
      const found = find(projectId)
      if (found) return found
      throw new AttestreamError(
        'DEVICE_FOREIGN',
        `The device belongs to project ${projectId}, which this engine does not serve; send its frames to that project's engine.`,
      )
    },
    async add({ projectId, config }) {
      const onChain = await readProject(chain, projectId)
      const version = await activeVersion(chain, projectId, onChain.activeVersion)
      const { manifest } = applets.circuit(version.appletId, version)
      requireSameCircuit(manifest!, applets.abi(version.appletId), version)
      checkPages({ store, applets }, projectId, version)
      const layout = applets.abi(version.appletId).config
      const record = encodeRecord(layout, config)
      if (configHash(layout, record) !== onChain.configHash) {
        throw new AttestreamError(
          'PROJECT_CONFIG_MISMATCH',
          `The config hashes to ${configHash(layout, record)}; the chain holds ${onChain.configHash} for project ${projectId}. Set the same config on chain.`,
        )
      }
      const project: ProjectRecord = {
        projectId,
        version: version.version,
        appletId: version.appletId,
        cohortSize: version.cohortSize,
        frameSize: version.frameSize,
        layoutId: version.layoutId,
        deviceDomain: deviceDomain(projectId),
        config: record,
        configHash: onChain.configHash,
        createdMs: store.project(projectId)?.createdMs ?? nowMs(),
      }
      store.putProject(project)
      known.delete(projectId)
      return project
    },
  }
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

/** The pages of the project's cohorts go on under another version only if it packs State alike, for as many slots. */
function checkPages(
  { store, applets }: Pick<ProjectsContext, 'store' | 'applets'>,
  projectId: bigint,
  { version, appletId, cohortSize }: ChainVersion,
): void {
  const newest = store.newestTask(projectId)
  if (!newest) return
  const fields = (id: Hex) => applets.abi(id).state.map(({ name, type, bits }) => `${name}:${type}:${bits}`)
  const [has, wants] = [fields(newest.work.appletId).join(), fields(appletId).join()]
  if (has === wants && newest.work.leaves.length === cohortSize) return
  throw new AttestreamError(
    'PROJECT_STATE_INCOMPATIBLE',
    `Version ${version} of project ${projectId} keeps State (${wants}) for ${cohortSize} slots; the project's ledger pages hold (${has}) for ${newest.work.leaves.length}. Activate a version with the same State, or create a new project.`,
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
