/**
 * The thread of the pool: runs one batch at a time and keeps the compiled applets of the last jobs, by appletId.
 * Errors travel as plain values, since a thread boundary strips an error of its code.
 */
import type { MessagePort } from 'node:worker_threads'
import { appletId } from '../core/applet.ts'
import { AttestreamError } from '../core/errors.ts'
import { compileApplet, runCompiledBatch, type BatchJob, type BatchResult, type CompiledApplet } from './run.ts'

const APPLETS_KEPT = 16
const applets = new Map<string, CompiledApplet>()

export interface WorkerTask {
  readonly job: BatchJob
  readonly fuel: number
  /** Hears from the worker when it takes the task. */
  readonly started: MessagePort
}

export type WorkerAnswer =
  | { readonly result: BatchResult }
  | { readonly error: { code: string; message: string; details: Readonly<Record<string, unknown>> } }

export default function runTask({ job, fuel, started }: WorkerTask): WorkerAnswer {
  started.postMessage(true)
  started.close()
  try {
    return { result: runCompiledBatch(compiled(job.wasm), job, fuel) }
  } catch (error) {
    if (!(error instanceof AttestreamError)) throw error
    return { error: { code: error.code, message: error.message, details: error.details } }
  }
}

/** Least recently used first, so that the first key is the one to drop. */
function compiled(wasm: Uint8Array): CompiledApplet {
  const id = appletId(wasm)
  const applet = applets.get(id) ?? compileApplet(wasm)
  applets.delete(id)
  applets.set(id, applet)
  const oldest = applets.keys().next().value
  if (applets.size > APPLETS_KEPT && oldest !== undefined) applets.delete(oldest)
  return applet
}
