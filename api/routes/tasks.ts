// Tasks with their states and times; a failed one can be put back to work.

import { checkProject, scopeProject } from '../access.ts'
import { toJson } from '../json.ts'
import { pageOf, pageReply, readPage } from '../page.ts'
import { ERRORS_REPLY, KEYED, TaskParams, type Routes, type Hex } from '../routes.ts'
import { Task, TaskQuery } from '../schemas.ts'

export const taskRoutes: Routes = (app, { engine, authorise }) => {
  const tags = ['tasks']

  app.get(
    '/tasks',
    {
      schema: {
        summary: 'List tasks, newest first',
        tags,
        security: KEYED,
        querystring: TaskQuery,
        response: { 200: pageOf(Task), ...ERRORS_REPLY },
      },
    },
    async (request) => {
      const { state } = request.query
      const projectId = scopeProject(await authorise(request), request.query.projectId)
      const page = readPage(request.query)
      return pageReply(toJson(await engine.listTasks({ projectId, ...(state && { state }) }, page)), page)
    },
  )

  app.get(
    '/tasks/:taskId',
    {
      schema: {
        summary: 'A task: state, times, transactions, units',
        tags,
        security: KEYED,
        params: TaskParams,
        response: { 200: Task, ...ERRORS_REPLY },
      },
    },
    async (request) => {
      const access = await authorise(request)
      const task = await engine.getTask(request.params.taskId as Hex)
      checkProject(access, task.projectId)
      return toJson(task)
    },
  )

  app.post(
    '/tasks/:taskId/retry',
    {
      schema: {
        summary: 'Put a failed task back to work',
        tags,
        security: KEYED,
        params: TaskParams,
        response: { 202: Task, ...ERRORS_REPLY },
      },
    },
    async (request, reply) => {
      const access = await authorise(request)
      const taskId = request.params.taskId as Hex
      checkProject(access, (await engine.getTask(taskId)).projectId)
      return reply.code(202).send(toJson(await engine.retryTask(taskId)))
    },
  )
}
