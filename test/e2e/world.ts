// A world for the end-to-end tests: the demo's chain, engine and API over a directory of their own, with the circuits that the demo
// keeps. After close() it asserts that nothing of it is left.

import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { createApi, type Api } from '../../cli/demo/api.ts'
import { startWorld, type World } from '../../cli/demo/world.ts'
import type { TaskRecord } from '../../engine/index.ts'

export const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** Shared with the demo and built on demand: a circuit takes some 20 s once. */
export const CIRCUITS = join(ROOT, '.attestream', 'circuits')

export interface TestWorld extends World {
  readonly api: Api
  /** The engine's DA, as `receipt verify --da` reads it from a directory. */
  readonly daDirectory: string
}

export async function openWorld(): Promise<TestWorld> {
  const directory = await mkdtemp(join(tmpdir(), 'attestream-e2e-'))
  const world = await startWorld(join(directory, 'engine'), CIRCUITS)
  const close = async (): Promise<void> => {
    await world.close()
    await rm(directory, { recursive: true, force: true })
    await expectGone(world.rpcUrl, world.apiUrl)
  }
  const daDirectory = join(directory, 'engine', 'da')
  return { ...world, api: createApi(world.apiUrl, world.adminKey), daDirectory, close }
}

/** Nobody answers at these addresses any more, and this process has no chain as a child. */
export async function expectGone(...urls: string[]): Promise<void> {
  for (const url of urls) await expect(fetch(url), `${url} after close`).rejects.toThrow()
  expect(await anvilChildren(process.pid), 'chains left running').toEqual([])
}

/** Process ids of the chains that a process started; always empty where there is no /proc. */
export async function anvilChildren(parent: number): Promise<number[]> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name))
  const found = await Promise.all(
    pids.map(async (pid) => {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
      const [, name, state, parentPid] = /^\d+ \((.*)\) (\S) (\d+)/.exec(stat) ?? []
      return name?.startsWith('anvil') && state !== 'Z' && Number(parentPid) === parent ? [Number(pid)] : []
    }),
  )
  return found.flat()
}

/** Polls until the condition holds; fails with its name after three minutes. */
export async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
  const endMs = Date.now() + 180_000
  while (!(await holds())) {
    if (Date.now() > endMs) throw new Error(`${what}: not within three minutes`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

/** The tasks of a project, oldest first, once as many as expected have the state; throws when one fails instead. */
export async function tasksIn(
  world: World,
  projectId: bigint,
  state: TaskRecord['state'],
  count: number,
): Promise<TaskRecord[]> {
  const read = () => world.engine.listTasks({ projectId })
  await eventually(`${count} tasks ${state}`, async () => {
    const tasks = await read()
    const failed = tasks.find((task) => task.state === 'failed' && state !== 'failed')
    if (failed) throw new Error(`task ${failed.taskId} failed: ${failed.failure?.message}`)
    return tasks.filter((task) => task.state === state).length >= count
  })
  return (await read()).reverse()
}
