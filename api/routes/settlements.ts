// What reached the chain: settlements of a project and what its devices can claim.

import { scopeProject } from '../access.ts'
import { toJson } from '../json.ts'
import { pageOf, pageReply, readPage } from '../page.ts'
import { ERRORS_REPLY, KEYED, type Routes } from '../routes.ts'
import { Claim, ProjectQuery, Settlement } from '../schemas.ts'

export const settlementRoutes: Routes = (app, { engine, authorise }) => {
  app.get(
    '/settlements',
    {
      schema: {
        summary: 'List the settlements of a project, newest first',
        tags: ['settlements'],
        security: KEYED,
        querystring: ProjectQuery,
        response: { 200: pageOf(Settlement), ...ERRORS_REPLY },
      },
    },
    async (request) => {
      const projectId = scopeProject(await authorise(request), request.query.projectId)
      const page = readPage(request.query)
      return pageReply(toJson(await engine.listSettlements(projectId, page)), page)
    },
  )

  app.get(
    '/claims',
    {
      schema: {
        summary: 'What the devices of a project were credited, have claimed and can claim, as the chain has it',
        tags: ['claims'],
        security: KEYED,
        querystring: ProjectQuery,
        response: { 200: pageOf(Claim), ...ERRORS_REPLY },
      },
    },
    async (request) => {
      const projectId = scopeProject(await authorise(request), request.query.projectId)
      const page = readPage(request.query)
      return pageReply(toJson(await engine.listClaims(projectId, page)), page)
    },
  )
}
