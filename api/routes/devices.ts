// Devices, as the chain's events tell them, and the registration of one at the engine's expense. Anybody can register on chain.

import { checkProject, scopeProject } from '../access.ts'
import { toJson } from '../json.ts'
import { pageOf, pageReply, readPage } from '../page.ts'
import { DeviceParams, ERRORS_REPLY, KEYED, parseU256, parseU64, type Hex, type Routes } from '../routes.ts'
import { Device, NewDevice, ProjectQuery, Registration } from '../schemas.ts'

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

  app.post(
    '/devices',
    {
      schema: {
        summary:
          "Register a device with its project's signed admission; the engine's operator pays, if the engine is set up so",
        tags,
        security: KEYED,
        body: NewDevice,
        response: { 201: Registration, ...ERRORS_REPLY },
      },
    },
    async (request, reply) => {
      const access = await authorise(request)
      const { admission, signature } = request.body
      const projectId = parseU64(admission.projectId, 'projectId')
      checkProject(access, projectId)
      const [keyX, keyY] = [parseU256(admission.keyX, 'keyX'), parseU256(admission.keyY, 'keyY')]
      const { metadataURI } = admission
      const deadline = parseU64(admission.deadline, 'deadline')
      const admitted = { owner: admission.owner as Hex, projectId, keyX, keyY, metadataURI, deadline }
      const registration = await engine.registerDevice(admitted, signature as Hex)
      return reply.code(201).header('location', `/v1/devices/${registration.deviceId}`).send(toJson(registration))
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
