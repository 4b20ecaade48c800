// Applets: upload WASM, read ABI and circuit status, start circuit builds. An applet is public: whoever checks a receipt
// runs these very bytes.

import { Type } from 'typebox'
import { AttestreamError } from '../../engine/index.ts'
import { checkAdmin } from '../access.ts'
import { publicError, sendError } from '../errors.ts'
import { toJson } from '../json.ts'
import { PageQuery, Applet, Circuit, CircuitShape } from '../schemas.ts'
import { pageOf, pageReply, readPage } from '../page.ts'
import { AppletParams, ERRORS_REPLY, KEYED, binary, type Routes } from '../routes.ts'

const APPLET_BYTES = 256 * 1024
const WASM = 'application/wasm'

export const appletRoutes: Routes = (app, context) => {
  void app.register(async (scope) => uploadRoute(scope, context))
  const { engine, authorise } = context

  app.get(
    '/applets',
    {
      schema: {
        summary: 'List applets, newest first',
        tags: ['applets'],
        security: KEYED,
        querystring: Type.Object(PageQuery, { additionalProperties: false }),
        response: { 200: pageOf(Applet), ...ERRORS_REPLY },
      },
    },
    async (request) => {
      await authorise(request)
      const page = readPage(request.query)
      return pageReply(toJson(await engine.listApplets(page)), page)
    },
  )

  app.get(
    '/applets/:appletId',
    {
      schema: {
        summary: "An applet's ABI and the status of its circuits",
        tags: ['applets'],
        params: AppletParams,
        response: { 200: Applet, ...ERRORS_REPLY },
      },
    },
    async (request) => toJson(await engine.getApplet(hash(request.params.appletId))),
  )

  app.get(
    '/applets/:appletId/wasm',
    {
      schema: {
        summary: "An applet's bytes",
        tags: ['applets'],
        params: AppletParams,
        response: { 200: binary(WASM), ...ERRORS_REPLY },
      },
    },
    async (request, reply) => {
      const wasm = await engine.getAppletWasm(hash(request.params.appletId))
      return reply.header('cache-control', 'public, max-age=31536000, immutable').type(WASM).send(Buffer.from(wasm))
    },
  )

  app.post(
    '/applets/:appletId/circuits',
    {
      schema: {
        summary: 'Start (or look at) the build of a circuit; poll the applet for its status',
        tags: ['applets'],
        security: KEYED,
        params: AppletParams,
        body: CircuitShape,
        response: { 202: Circuit, ...ERRORS_REPLY },
      },
    },
    async (request, reply) => {
      checkAdmin(await authorise(request))
      const circuit = await engine.buildCircuit(hash(request.params.appletId), request.body)
      return reply.code(202).send(toJson(circuit))
    },
  )
}

const uploadRoute: Routes = (app, { engine, authorise }) => {
  app.removeAllContentTypeParsers()
  app.setErrorHandler((error, request, reply) => sendError(appletError(error), request, reply))
  app.addContentTypeParser(WASM, { parseAs: 'buffer', bodyLimit: APPLET_BYTES }, (_request, body, done) => {
    done(null, body)
  })
  app.post(
    '/applets',
    {
      bodyLimit: APPLET_BYTES,
      schema: {
        summary: 'Upload an applet: its WASM bytes, at most 256 KiB',
        tags: ['applets'],
        security: KEYED,
        body: { content: { [WASM]: { schema: Type.Any({ description: 'The bytes that asc wrote' }) } } },
        response: { 201: Applet, ...ERRORS_REPLY },
      },
      onRequest: async (request) => checkAdmin(await authorise(request)),
    },
    async (request, reply) => {
      const { body } = request
      if (!(body instanceof Uint8Array)) {
        throw new AttestreamError('MEDIA_TYPE_UNSUPPORTED', `Send the WASM bytes with content type ${WASM}.`)
      }
      const applet = await engine.addApplet(new Uint8Array(body))
      return reply.code(201).header('location', `/v1/applets/${applet.appletId}`).send(toJson(applet))
    },
  )
}

/** A body beyond the limit is an applet beyond the limit. */
function appletError(error: unknown): unknown {
  if (publicError(error).code !== 'BODY_TOO_LARGE') return error
  return new AttestreamError(
    'APPLET_TOO_LARGE',
    `The WASM is larger than ${APPLET_BYTES} bytes. Make the applet smaller.`,
  )
}

function hash(text: string): `0x${string}` {
  return text as `0x${string}`
}
