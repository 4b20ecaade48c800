// Projects: serve an on-chain project and hand out its API keys. Both are the admin's; a project key reads its own.

import { Type } from 'typebox'
import type { ProjectRecord } from '../../engine/index.ts'
import { checkAdmin, checkProject } from '../access.ts'
import { toJson } from '../json.ts'
import { pageOf, pageReply, readPage } from '../page.ts'
import { ERRORS_REPLY, KEYED, ProjectParams, parseU64, type Routes, type NamedRecord } from '../routes.ts'
import { ApiKey, ConfigHash, NewConfig, NewProject, PageQuery, Project } from '../schemas.ts'

export const projectRoutes: Routes = (app, { engine, authorise }) => {
  const tags = ['projects']

  app.post(
    '/projects',
    {
      schema: {
        summary: 'Serve a project that exists on chain; its config must hash to the configHash there',
        tags,
        security: KEYED,
        body: NewProject,
        response: { 201: Project, ...ERRORS_REPLY },
      },
    },
    async (request, reply) => {
      checkAdmin(await authorise(request))
      const projectId = parseU64(request.body.projectId, 'projectId')
      const project = await engine.addProject({ projectId, config: parseConfig(request.body.config) })
      return reply.code(201).header('location', `/v1/projects/${projectId}`).send(toJson(project))
    },
  )

  app.get(
    '/projects',
    {
      schema: {
        summary: 'List projects; a project key sees its own',
        tags,
        security: KEYED,
        querystring: Type.Object(PageQuery, { additionalProperties: false }),
        response: { 200: pageOf(Project), ...ERRORS_REPLY },
      },
    },
    async (request) => {
      const access = await authorise(request)
      const page = readPage(request.query)
      if (access.kind === 'admin') return pageReply(toJson(await engine.listProjects(page)), page)
      const own: ProjectRecord[] = page.offset === 0 ? [await engine.getProject(access.projectId)] : []
      return { items: toJson(own), nextOffset: null }
    },
  )

  app.get(
    '/projects/:projectId',
    {
      schema: {
        summary: 'A project: applet, version, config',
        tags,
        security: KEYED,
        params: ProjectParams,
        response: { 200: Project, ...ERRORS_REPLY },
      },
    },
    async (request) => {
      const access = await authorise(request)
      const projectId = parseU64(request.params.projectId, 'projectId')
      checkProject(access, projectId)
      return toJson(await engine.getProject(projectId))
    },
  )

  app.post(
    '/projects/:projectId/configs',
    {
      schema: {
        summary: 'Hand in a config before the chain has its hash; the engine goes over to it by itself',
        tags,
        security: KEYED,
        params: ProjectParams,
        body: NewConfig,
        response: { 201: ConfigHash, ...ERRORS_REPLY },
      },
    },
    async (request, reply) => {
      checkAdmin(await authorise(request))
      const projectId = parseU64(request.params.projectId, 'projectId')
      const appletId = request.body.appletId as `0x${string}`
      const configHash = await engine.prepareConfig({ projectId, appletId, config: parseConfig(request.body.config) })
      return reply.code(201).send({ projectId: projectId.toString(), configHash: configHash.toString() })
    },
  )

  app.post(
    '/projects/:projectId/keys',
    {
      schema: {
        summary: 'Create an API key of a project; it is shown this once',
        tags,
        security: KEYED,
        params: ProjectParams,
        response: { 201: ApiKey, ...ERRORS_REPLY },
      },
    },
    async (request, reply) => {
      checkAdmin(await authorise(request))
      const projectId = parseU64(request.params.projectId, 'projectId')
      const apiKey = await engine.createApiKey(projectId)
      return reply.code(201).header('cache-control', 'no-store').send({ projectId: projectId.toString(), apiKey })
    },
  )
}

function parseConfig(config: Record<string, number | boolean | string>): NamedRecord {
  return Object.fromEntries(
    Object.entries(config).map(([name, value]) => [name, typeof value === 'string' ? BigInt(value) : value]),
  )
}
