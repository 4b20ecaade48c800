// Devices, as the chain's events tell them; registration happens on chain.

import { checkProject, scopeProject } from '../access.ts'
import { toJson } from '../json.ts'
import { pageOf, pageReply, readPage } from '../page.ts'
import { DeviceParams, ERRORS_REPLY, KEYED, parseU64, type Routes } from '../routes.ts'
import { Device, ProjectQuery } from '../schemas.ts'

export const deviceRoutes: Routes = (app, { engine, authorise }) => {
  const tags = ['devices']

  app.get(
    '/devices',
    {
      schema: {
        summary: 'List the devices of a project',
        tags,
        security: KEYED,
        querystring: ProjectQuery,
        response: { 200: pageOf(Device), ...ERRORS_REPLY },
      },
    },
    async (request) => {
      const projectId = scopeProject(await authorise(request), request.query.projectId)
      const page = readPage(request.query)
      return pageReply(toJson(await engine.listDevices(projectId, page)), page)
    },
  )

  app.get(
    '/devices/:deviceId',
    {
      schema: {
        summary: 'A device: key, owner, slot and last sequence',
        tags,
        security: KEYED,
        params: DeviceParams,
        response: { 200: Device, ...ERRORS_REPLY },
      },
    },
    async (request) => {
      const access = await authorise(request)
      const device = await engine.getDevice(parseU64(request.params.deviceId, 'deviceId'))
      checkProject(access, device.projectId)
      return toJson(device)
    },
  )
}
