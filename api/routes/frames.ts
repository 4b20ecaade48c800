// Frames: devices send them in canonical bytes or as JSON, one or many; each gets its own acknowledgement or error.
// No API key: the device's signature says who sent a frame. Reading them back needs a key.

import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { AttestreamError, type Engine, type Failure, type IngestResult } from '../../engine/index.ts'
import { FRAME_SEQUENCE } from '../../engine/core/frame.ts'
import { checkProject, scopeProject } from '../access.ts'
import { publicError } from '../errors.ts'
import { resultItems } from '../frame-message.ts'
import { checkFrameNumber, decodeFrameSequence } from '../frame-sequence.ts'
import { toJson } from '../json.ts'
import { pageOf, pageReply, readPage } from '../page.ts'
import { ERRORS_REPLY, KEYED, parseU64, type Routes, type Hex } from '../routes.ts'
import { Frame, FrameAccepted, FrameResults, Hash, PageQuery, U64 } from '../schemas.ts'

const OCTETS = 'application/octet-stream'

const FrameQuery = Type.Object(
  { projectId: Type.Optional(U64), deviceId: Type.Optional(U64), taskId: Type.Optional(Hash), ...PageQuery },
  { additionalProperties: false },
)

const FRAME_JSON_EXAMPLE = {
  deviceId: '42',
  sequence: '7',
  readings: [{ timeSec: 1767225600, wattHours: 125000 }],
  signature: { r8x: '1234567890', r8y: '9876543210', s: '1122334455' },
}

/** Not validated here: the engine judges each frame on its own, so that one bad frame costs only itself. */
const FRAME_BODIES = {
  [OCTETS]: { schema: Type.Any({ description: 'One frame in canonical bytes' }) },
  [FRAME_SEQUENCE]: { schema: Type.Any({ description: 'Frames, each after its length as a big-endian u32' }) },
  'application/json': {
    schema: Type.Any({
      description:
        'One frame or an array of frames; readings by name, integers beyond 2^53 as decimal strings. The signature is ' +
        'over the canonical form, never over JSON.',
      examples: [FRAME_JSON_EXAMPLE, [FRAME_JSON_EXAMPLE]],
    }),
  },
}

export const frameRoutes: Routes = (app, context) => {
  void app.register(async (scope) => ingestRoute(scope, context))
  const { engine, authorise } = context
  const tags = ['frames']

  app.get(
    '/frames',
    {
      schema: {
        summary: 'List the frames of a project, of a device or of a task',
        tags,
        security: KEYED,
        querystring: FrameQuery,
        response: { 200: pageOf(Frame), ...ERRORS_REPLY },
      },
    },
    async (request) => {
      const { deviceId, taskId } = request.query
      const projectId = scopeProject(await authorise(request), request.query.projectId)
      const filter = {
        projectId,
        ...(deviceId !== undefined && { deviceId: parseU64(deviceId, 'deviceId') }),
        ...(taskId !== undefined && { taskId: taskId as Hex }),
      }
      const page = readPage(request.query)
      return pageReply(toJson(await engine.listFrames(filter, page)), page)
    },
  )

  app.get(
    '/frames/:deviceId/:sequence',
    {
      schema: {
        summary: 'A frame by device and sequence',
        tags,
        security: KEYED,
        params: Type.Object({ deviceId: U64, sequence: U64 }),
        response: { 200: Frame, ...ERRORS_REPLY },
      },
    },
    async (request) => {
      const access = await authorise(request)
      const { deviceId, sequence } = request.params
      const frame = await engine.getFrame(parseU64(deviceId, 'deviceId'), parseU64(sequence, 'sequence'))
      checkProject(access, frame.projectId)
      return toJson(frame)
    },
  )
}

const ingestRoute: Routes = (app, { engine }) => {
  app.addContentTypeParser([OCTETS, FRAME_SEQUENCE], { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  app.post(
    '/frames',
    {
      schema: {
        summary: 'Send one frame or many',
        description:
          `One frame in canonical bytes (${OCTETS}), a sequence of frames each after its length as a big-endian u32 ` +
          `(${FRAME_SEQUENCE}), or the JSON form of one frame or of an array of frames. A frame sent twice is answered ` +
          'like the first time. One frame that is refused is answered with the status of its error; of many, each has its own result.',
        tags: ['frames'],
        body: { content: FRAME_BODIES },
        response: { 200: Type.Union([FrameAccepted, FrameResults]), 207: FrameResults, ...ERRORS_REPLY },
      },
    },
    async (request, reply) => {
      const { body } = request
      const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase()
      if (type === FRAME_SEQUENCE)
        return sendMany(reply, await engine.ingest(decodeFrameSequence(asBytes(body)), request.ip))
      if (type === OCTETS) return sendOne(reply, await engine.ingest([asBytes(body)], request.ip))
      if (Array.isArray(body)) return sendMany(reply, await ingestJson(engine, body, request))
      if (typeof body === 'object' && body !== null) {
        return sendOne(reply, await engine.ingest([await engine.encodeFrameJson(body)], request.ip))
      }
      throw new AttestreamError('REQUEST_INVALID', 'The body is neither a frame nor an array of frames.')
    },
  )
}

/** JSON frames that cannot be turned into bytes get their own failure; the others are ingested together, order kept. */
async function ingestJson(engine: Engine, items: unknown[], request: FastifyRequest): Promise<IngestResult[]> {
  checkFrameNumber(items.length)
  const encoded = await Promise.all(items.map((item) => encodeJson(engine, item, request)))
  const bytes = encoded.filter((item) => item instanceof Uint8Array)
  const results = await engine.ingest(bytes, request.ip)
  let next = 0
  return encoded.map((item) => (item instanceof Uint8Array ? results[next++]! : { failure: item }))
}

async function encodeJson(engine: Engine, item: unknown, request: FastifyRequest): Promise<Uint8Array | Failure> {
  try {
    return await engine.encodeFrameJson(item)
  } catch (error) {
    const { code, message } = publicError(error)
    if (code === 'INTERNAL') request.log.error({ err: error }, 'frame could not be encoded')
    return { code, message }
  }
}

function sendOne(reply: FastifyReply, results: IngestResult[]): FastifyReply {
  const result = results[0]!
  if ('failure' in result) throw new AttestreamError(result.failure.code, result.failure.message)
  return reply.code(200).send(toJson(result))
}

function sendMany(reply: FastifyReply, results: IngestResult[]): FastifyReply {
  const items = resultItems(results)
  const someFailed = results.some((result) => 'failure' in result)
  return reply.code(someFailed ? 207 : 200).send({ results: items })
}

function asBytes(body: unknown): Uint8Array {
  if (body instanceof Uint8Array) return new Uint8Array(body.buffer, body.byteOffset, body.byteLength)
  throw new AttestreamError('REQUEST_INVALID', 'The body is empty; expected the bytes of a frame.')
}
