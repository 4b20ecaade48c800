// The engine in a process of its own, to be killed by crash.test.ts. It does what its parent's messages say, and kills itself the
// moment that a task has reached the state that the environment names; for `proving`, when two proofs are half done.

import { readFileSync } from 'node:fs'
import { createEngine, type EngineOptions } from '../../engine/index.ts'
import { fromJson, toJson } from '../../engine/store/json.ts'
import type { NamedRecord } from '../../engine/core/layout.ts'

interface Shape {
  readonly cohortSize: number
  readonly frameSize: number
}

export type Order =
  | {
      readonly kind: 'serve'
      readonly projectId: bigint
      readonly wasm: string
      readonly config: NamedRecord
      readonly shape: Shape
    }
  | {
      readonly kind: 'ingest'
      readonly frames: readonly string[]
      readonly andDie?: boolean
    }
  | { readonly kind: 'flush'; readonly projectId: bigint }
  | { readonly kind: 'close' }

const dieAt = process.env['ATTESTREAM_CRASH_AT']
const die = (): void => void process.kill(process.pid, 'SIGKILL')

const options = fromJson<EngineOptions>(process.env['ATTESTREAM_CRASH_ENGINE']!)
const halfProven = new Set<string>()
const engine = await createEngine({
  ...options,
  onProofProgress(taskId, { phase }) {
    if (dieAt === 'proving' && phase === 'c' && halfProven.add(taskId).size === 2) die()
  },
  onTask(task) {
    if (task.state === dieAt) die()
  },
})

async function obey(order: Order): Promise<unknown> {
  if (order.kind === 'serve') {
    const { appletId } = await engine.addApplet(readFileSync(order.wasm))
    await engine.buildCircuit(appletId, order.shape)
    while ((await engine.getApplet(appletId)).circuits[0]?.status === 'building') await new Promise(setImmediate)
    return engine.addProject({ projectId: order.projectId, config: order.config })
  }
  if (order.kind === 'ingest') {
    const results = await engine.ingest(order.frames.map((frame) => Buffer.from(frame, 'hex')))
    if (order.andDie) process.send!(toJson(results), undefined, {}, die)
    return results
  }
  if (order.kind === 'flush') {
    await engine.flush()
    const page = { limit: 200 }
    const filter = { projectId: order.projectId }
    const [tasks, frames] = await Promise.all([engine.listTasks(filter, page), engine.listFrames(filter, page)])
    return { tasks, frames }
  }
  await engine.close()
  return 'closed'
}

process.on('message', (text: string) => {
  const order = fromJson<Order>(text)
  void obey(order).then(
    (answer) => {
      process.send!(toJson(answer))
      if (order.kind === 'close') process.disconnect()
    },
    (error: Error) => process.send!(toJson({ error: `${error.stack}` })),
  )
})
process.send!(toJson('ready'))
