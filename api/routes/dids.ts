// DIDs of devices: the resolution that DID Core describes, and the address under which universal resolvers ask for it. No key is
// needed: all of it is on chain. Errors of a resolution are told as DID Core wants them; others, such as a node that does
// not answer, as everywhere in this API.

import { Type } from 'typebox'
import {
  AttestreamError,
  isAttestreamError,
  parseDid,
  resolveDevice,
  type DidResolution,
  type ErrorCode,
} from '../../engine/index.ts'
import { httpStatus } from '../errors.ts'
import { toJson } from '../json.ts'
import { DeviceParams, ERRORS_REPLY, parseU64, type App, type RouteContext } from '../routes.ts'
import { DidDocument, DidResolutionReply } from '../schemas.ts'

const RESULT = 'application/did-resolution'
const DOCUMENT = 'application/did+ld+json'
const RESULT_TYPES: readonly string[] = [RESULT, 'application/json']
const DOCUMENT_TYPES: readonly string[] = [DOCUMENT, 'application/did+json', 'application/did', 'application/ld+json']

/** DID Core's names of errors. */
const DID_ERRORS: Readonly<Partial<Record<ErrorCode, string>>> = {
  DID_INVALID: 'invalidDid',
  DEVICE_UNKNOWN: 'notFound',
  DID_FOREIGN: 'notFound',
  DID_METHOD_UNKNOWN: 'methodNotSupported',
  DID_OPTION_UNSUPPORTED: 'featureNotSupported',
  DID_REPRESENTATION_UNSUPPORTED: 'representationNotSupported',
}

/** The DID of a device that this engine follows, under /v1. */
export function deviceDidRoute(app: App, { engine, framesUrl }: RouteContext): void {
  app.get(
    '/devices/:deviceId/did',
    {
      schema: {
        summary: "A device's DID resolved: document, or none once it is revoked, and metadata; needs no key",
        tags: ['devices'],
        params: DeviceParams,
        response: { 200: DidResolutionReply, ...ERRORS_REPLY },
      },
    },
    async (request, reply) => {
      const device = await engine.getDeviceIdentity(parseU64(request.params.deviceId, 'deviceId'))
      void reply.header('cache-control', 'no-cache')
      return toJson(resultOf(resolveDevice(device, framesUrl)))
    },
  )
}

/** `GET /1.0/identifiers/{did}`, as DID Resolution binds it to HTTP. */
export function resolverRoute(app: App, { engine, framesUrl }: RouteContext): void {
  app.get(
    '/1.0/identifiers/:did',
    {
      schema: {
        summary: 'Resolve a DID of a device: the whole result, or the document alone if `Accept` names its media type',
        tags: ['devices'],
        params: Type.Object({ did: Type.String({ examples: [`did:attestream:31337:0x${'ab'.repeat(20)}:1`] }) }),
        response: { 200: RESOLVED, ...RESOLUTION_ERRORS },
      },
    },
    async (request, reply) => {
      void reply.header('cache-control', 'no-cache').serializer(JSON.stringify)
      try {
        const mediaType = acceptedType(request.headers.accept)
        refuseOptions(request.query)
        const resolved = resolveDevice(await engine.getDeviceIdentity(parseDid(request.params.did)), framesUrl)
        const isDocument = DOCUMENT_TYPES.includes(mediaType)
        if (resolved.didDocument && isDocument) return reply.type(mediaType).send(toJson(resolved.didDocument))
        return reply
          .code(resolved.didDocument ? 200 : 410)
          .type(isDocument ? RESULT : mediaType)
          .send(toJson(resultOf(resolved)))
      } catch (error) {
        const name = isAttestreamError(error) ? DID_ERRORS[error.code] : undefined
        if (name === undefined) throw error
        const { code, message } = error as AttestreamError
        const didResolutionMetadata = { error: name, message }
        const result = { didDocument: null, didDocumentMetadata: {}, didResolutionMetadata }
        return reply.code(httpStatus(code)).type(RESULT).send(result)
      }
    },
  )
}

function resultOf(resolved: DidResolution) {
  return { ...resolved, didResolutionMetadata: { contentType: DOCUMENT } }
}

/** The media type to answer with; throws DID_REPRESENTATION_UNSUPPORTED. */
function acceptedType(accept = '*/*'): string {
  const ranges = accept.split(',').map((range) => {
    const [type, ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    const quality = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? '1'
    const isResult =
      type === 'application/ld+json' && parameters.some((parameter) => parameter.includes('did-resolution'))
    return { type: isResult ? RESULT : type!, quality: Number(quality) }
  })
  const wanted = ranges.filter(({ quality }) => quality > 0).sort((a, b) => b.quality - a.quality)
  for (const { type } of wanted) {
    if (type === '*/*' || type === 'application/*') return RESULT
    if (RESULT_TYPES.includes(type) || DOCUMENT_TYPES.includes(type)) return type
  }
  const message = `Accept is ${accept.slice(0, 100)}; expected one of ${[RESULT, ...DOCUMENT_TYPES].join(', ')}.`
  throw new AttestreamError('DID_REPRESENTATION_UNSUPPORTED', message)
}

/** To answer for another version or time with the present state would be a lie. */
function refuseOptions(query: unknown): void {
  const [name] = Object.keys(query as object)
  if (name === undefined) return
  const message = `The option ${name.slice(0, 40)} is not supported; ask for the present state, without options.`
  throw new AttestreamError('DID_OPTION_UNSUPPORTED', message)
}

function resolutionReply(description: string) {
  return { description, content: { 'application/did-resolution': { schema: DidResolutionReply } } }
}

const RESOLVED = {
  description: 'Resolved',
  content: {
    'application/did-resolution': { schema: DidResolutionReply },
    'application/did+ld+json': { schema: DidDocument },
  },
}

const RESOLUTION_ERRORS = {
  400: resolutionReply('invalidDid'),
  404: resolutionReply('notFound'),
  406: resolutionReply('representationNotSupported'),
  410: resolutionReply('Revoked: no document, and `deactivated` in its metadata'),
  501: resolutionReply('methodNotSupported or featureNotSupported'),
  '5xx': ERRORS_REPLY['5xx'],
}
