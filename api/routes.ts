// What every route file gets, and pieces that they share: the typed server, who may call, common path parameters.

import type { FastifyInstance, FastifyBaseLogger, RawServerDefault } from 'fastify'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { AttestreamError, type AppletRecord, type Engine } from '../engine/index.ts'
import type { Authorise } from './access.ts'
import { ErrorReply, Hash, U64 } from './schemas.ts'

export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>

export interface RouteContext {
  readonly engine: Engine
  readonly authorise: Authorise
  /** Where devices outside reach `POST /v1/frames`, if that is known. */
  readonly framesUrl?: string
}

/** Adds the routes of one noun to the server. */
export type Routes = (app: App, context: RouteContext) => void

/** Identifiers and hashes as the engine writes them. */
export type Hex = AppletRecord['appletId']

/** Values by name, as a project's config comes in. */
export type NamedRecord = Parameters<Engine['addProject']>[0]['config']

/** In the OpenAPI document: the route needs a bearer key. */
export const KEYED = [{ bearer: [] }]

/** In the OpenAPI document: every route may answer with the error shape. */
export const ERRORS_REPLY = { '4xx': ErrorReply, '5xx': ErrorReply }

/** A reply of bytes, for the OpenAPI document. */
export function binary(mediaType: string) {
  return { description: 'Bytes', content: { [mediaType]: { schema: Type.Any() } } }
}

export const AppletParams = Type.Object({ appletId: Hash })
export const TaskParams = Type.Object({ taskId: Hash })
export const ProjectParams = Type.Object({ projectId: U64 })
export const DeviceParams = Type.Object({ deviceId: U64 })

/** A u64 of a path, query or body; throws REQUEST_INVALID above 2^64 − 1. */
export function parseU64(text: string, name: string): bigint {
  return parseUnsigned(text, name, 64n)
}

/** As `parseU64`, with 256 bits. */
export function parseU256(text: string, name: string): bigint {
  return parseUnsigned(text, name, 256n)
}

function parseUnsigned(text: string, name: string, bits: bigint): bigint {
  const value = BigInt(text)
  if (value >> bits === 0n) return value
  const message = `${name} is ${text}; expected an unsigned integer of at most ${bits} bits.`
  throw new AttestreamError('REQUEST_INVALID', message)
}
