// Batches: what was closed, published and anchored together. A batch is named by the task that proves it, since its
// number on chain is known only once it is anchored.

import type { TaskRecord } from '../../engine/index.ts'
import { checkProject, scopeProject } from '../access.ts'
import { toJson } from '../json.ts'
import { pageOf, pageReply, readPage } from '../page.ts'
import { ERRORS_REPLY, KEYED, TaskParams, type Routes, type Hex } from '../routes.ts'
import { Batch, BatchWithFrames, TaskQuery } from '../schemas.ts'

/** A batch has at most one frame per slot, 64 slots at most. */
const FRAMES_PER_BATCH = 64

export const batchRoutes: Routes = (app, { engine, authorise }) => {
  const tags = ['batches']

  app.get(
    '/batches',
    {
      schema: {
        summary: 'List batches, newest first',
        tags,
        security: KEYED,
        querystring: TaskQuery,
        response: { 200: pageOf(Batch), ...ERRORS_REPLY },
      },
    },
    async (request) => {
      const { state } = request.query
      const projectId = scopeProject(await authorise(request), request.query.projectId)
      const page = readPage(request.query)
      const tasks = await engine.listTasks({ projectId, ...(state && { state }) }, page)
      return pageReply(tasks.map(batchOf), page)
    },
  )

  app.get(
    '/batches/:taskId',
    {
      schema: {
        summary: 'A batch with its frames',
        tags,
        security: KEYED,
        params: TaskParams,
        response: { 200: BatchWithFrames, ...ERRORS_REPLY },
      },
    },
    async (request) => {
      const access = await authorise(request)
      const task = await engine.getTask(request.params.taskId as Hex)
      checkProject(access, task.projectId)
      const { projectId, taskId } = task
      const frames = await engine.listFrames({ projectId, taskId }, { limit: FRAMES_PER_BATCH })
      return { ...batchOf(task), contents: toJson(frames) }
    },
  )
}

function batchOf(task: TaskRecord) {
  const { taskId, projectId, cohort, batchNumber, batchRoot, daPointer, frames, readings, state, anchorTxHash } = task
  const { closed, anchored } = task.times
  return toJson({
    taskId,
    projectId,
    cohort,
    batchNumber,
    batchRoot,
    daPointer,
    frames,
    readings,
    state,
    closedMs: closed ?? null,
    anchoredMs: anchored ?? null,
    anchorTxHash,
  })
}
