// The demo's client of the REST API: what a project's team would call.

import type { Hex } from '../../engine/core/codec.ts'
import { AttestreamError, type ErrorCode } from '../../engine/index.ts'

export interface CircuitManifestJson {
  readonly vkHash: Hex
  readonly verifyingKey: Hex
  readonly r1csSha256: Hex
  readonly setupTranscriptHash: Hex
  readonly constraints: number
  readonly devSetup: boolean
}

export interface AppletJson {
  readonly appletId: Hex
  readonly circuits: readonly {
    readonly cohortSize: number
    readonly frameSize: number
    readonly status: 'building' | 'ready' | 'failed'
    readonly progress: string | null
    readonly failure: { readonly code: ErrorCode; readonly message: string } | null
    readonly manifest: CircuitManifestJson | null
  }[]
}

export interface Api {
  readonly url: string
  uploadApplet(wasm: Uint8Array): Promise<AppletJson>
  /** Starts the build and polls until it is ready; throws the build's failure. */
  waitForCircuit(
    appletId: Hex,
    shape: { cohortSize: number; frameSize: number },
    onProgress: (text: string) => void,
  ): Promise<CircuitManifestJson>
  addProject(projectId: bigint, config: Readonly<Record<string, string>>): Promise<void>
  receipt(taskId: Hex): Promise<unknown>
}

const POLL_MS = 200

export function createApi(url: string, adminKey: string): Api {
  const call = async (method: string, path: string, body?: Uint8Array | object): Promise<unknown> => {
    const isBytes = body instanceof Uint8Array
    const type = isBytes ? 'application/wasm' : 'application/json'
    const response = await fetch(new URL(path, url), {
      method,
      headers: { authorization: `Bearer ${adminKey}`, ...(body ? { 'content-type': type } : {}) },
      ...(body ? { body: isBytes ? (body as Uint8Array<ArrayBuffer>) : JSON.stringify(body) } : {}),
    })
    const answer = (await response.json()) as { error?: { code: ErrorCode; message: string } }
    if (answer.error) throw new AttestreamError(answer.error.code, answer.error.message)
    return answer
  }

  return {
    url,
    uploadApplet: async (wasm) => (await call('POST', '/v1/applets', wasm)) as AppletJson,
    async waitForCircuit(appletId, shape, onProgress) {
      await call('POST', `/v1/applets/${appletId}/circuits`, shape)
      for (;;) {
        const { circuits } = (await call('GET', `/v1/applets/${appletId}`)) as AppletJson
        const circuit = circuits.find((c) => c.cohortSize === shape.cohortSize && c.frameSize === shape.frameSize)
        if (circuit?.failure) throw new AttestreamError(circuit.failure.code, circuit.failure.message)
        if (circuit?.manifest) return circuit.manifest
        onProgress(circuit?.progress ?? 'queued')
        await new Promise((resolve) => setTimeout(resolve, POLL_MS))
      }
    },
    async addProject(projectId, config) {
      await call('POST', '/v1/projects', { projectId: projectId.toString(), config })
    },
    receipt: (taskId) => call('GET', `/v1/receipts/${taskId}`),
  }
}
