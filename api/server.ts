// The REST API over one engine. It parses, authorises and translates; every decision is the engine's.
// Promises: errors have stable codes and never carry internals; one bad frame never disturbs another; JSON carries
// integers beyond 2^53 as decimal strings; without a host it listens on 127.0.0.1 only.

import { randomUUID } from 'node:crypto'
import type { AddressInfo, Socket } from 'node:net'
import swagger from '@fastify/swagger'
import websocket from '@fastify/websocket'
import { TypeBoxValidatorCompiler, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import fastify, { type FastifyBaseLogger, type FastifyServerOptions } from 'fastify'
import manifest from '../package.json' with { type: 'json' }
import { AttestreamError, type Engine } from '../engine/index.ts'
import { createAuthorise } from './access.ts'
import { errorBody, sendError } from './errors.ts'
import type { App, RouteContext } from './routes.ts'
import { appletRoutes } from './routes/applets.ts'
import { batchRoutes } from './routes/batches.ts'
import { deviceRoutes } from './routes/devices.ts'
import { deviceDidRoute, resolverRoute } from './routes/dids.ts'
import { frameStreamRoute } from './routes/frame-stream.ts'
import { frameRoutes } from './routes/frames.ts'
import { projectRoutes } from './routes/projects.ts'
import { receiptRoutes } from './routes/receipts.ts'
import { settlementRoutes } from './routes/settlements.ts'
import { statusRoutes } from './routes/status.ts'
import { taskRoutes } from './routes/tasks.ts'

export interface ServerOptions {
  readonly engine: Engine
  /** At least 16 characters; may do everything. */
  readonly adminKey: string
  /** Under which address others reach this API, such as https://engine.example: told in the DID documents of devices. */
  readonly publicUrl?: string
  /** Largest body of any route but the applet upload, which takes 256 KiB. Default 1 MiB. */
  readonly bodyLimitBytes?: number
  /** A logger in pino's interface; default none. */
  readonly logger?: FastifyBaseLogger
}

export interface Server {
  /** The fastify instance, for `inject` and for more routes before listening. */
  readonly app: App
  /** Starts listening and gives the URL. Default: 127.0.0.1, a free port. */
  listen(address?: { host?: string; port?: number }): Promise<string>
  /** Stops accepting, finishes running requests. The engine stays open. */
  close(): Promise<void>
}

const BODY_BYTES = 1024 * 1024
/** A request has to arrive whole within this time, however slowly it is sent. */
const REQUEST_TIMEOUT_MS = 30_000

export function createServer(options: ServerOptions): Server {
  const app = createApp(options)
  const context: RouteContext = {
    engine: options.engine,
    authorise: createAuthorise(options.engine, options.adminKey),
    ...(options.publicUrl !== undefined && { framesUrl: new URL('/v1/frames', options.publicUrl).href }),
  }
  void app.register(swagger, { openapi: OPENAPI })
  void app.register(websocket, { options: { maxPayload: options.bodyLimitBytes ?? BODY_BYTES } })
  void app.register(async (scope) => addRoutes(scope, context))
  return {
    app,
    listen: async ({ host = '127.0.0.1', port = 0 } = {}) => {
      await app.listen({ host, port })
      return serverUrl(app)
    },
    close: async () => {
      await app.close()
    },
  }
}

function createApp(options: ServerOptions): App {
  const server: FastifyServerOptions = {
    bodyLimit: options.bodyLimitBytes ?? BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    genReqId: () => randomUUID(),
    frameworkErrors: sendError,
    clientErrorHandler: refuseConnection,
    routerOptions: { maxParamLength: 128 },
    ...(options.logger && { loggerInstance: options.logger }),
  }
  const app: App = fastify(server).withTypeProvider<TypeBoxTypeProvider>()
  app.setValidatorCompiler(TypeBoxValidatorCompiler)
  app.setSerializerCompiler(() => (body) => JSON.stringify(body))
  app.removeContentTypeParser('text/plain')
  app.setErrorHandler(sendError)
  app.setNotFoundHandler((request, reply) => sendError(routeUnknown(request.method, request.url), request, reply))
  app.addHook('onSend', async (request, reply) => {
    void reply.header('x-request-id', request.id).header('x-content-type-options', 'nosniff')
  })
  return app
}

function addRoutes(app: App, context: RouteContext): void {
  statusRoutes(app, context)
  resolverRoute(app, context)
  void app.register(
    async (v1) => {
      for (const routes of [
        appletRoutes,
        projectRoutes,
        deviceRoutes,
        deviceDidRoute,
        frameRoutes,
        frameStreamRoute,
        batchRoutes,
        taskRoutes,
        receiptRoutes,
        settlementRoutes,
      ]) {
        routes(v1, context)
      }
    },
    { prefix: '/v1' },
  )
}

function routeUnknown(method: string, url: string): AttestreamError {
  const path = url.split('?')[0]!.slice(0, 100)
  return new AttestreamError('ROUTE_UNKNOWN', `There is no route ${method} ${path}; see /openapi.json.`)
}

/** Bytes that are not HTTP never reach a route; they are answered in the same shape as everything else. */
function refuseConnection(_error: Error, socket: Socket): void {
  if (!socket.writable || socket.destroyed) return
  const error = new AttestreamError('REQUEST_INVALID', 'The request is not well-formed HTTP, or came too slowly.')
  const body = JSON.stringify(errorBody(error, randomUUID()))
  const head = `HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}`
  socket.end(`${head}\r\nConnection: close\r\n\r\n${body}`)
}

function serverUrl(app: App): string {
  const { address, family, port } = app.server.address() as AddressInfo
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}

const OPENAPI = {
  openapi: '3.1.0',
  info: {
    title: 'Attestream',
    version: manifest.version,
    description:
      'Devices send signed frames; batches of them are proven and settled on chain. Every failure is ' +
      '`{ error: { code, message, details?, requestId } }` with a stable code of docs/errors.md.',
  },
  components: {
    securitySchemes: { bearer: { type: 'http' as const, scheme: 'bearer', description: 'Admin key or project key' } },
  },
}
