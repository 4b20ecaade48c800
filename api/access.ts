// Who may do what: `Authorization: Bearer <key>` is the admin key given at start, or a project key that the engine knows.
// A project key reaches its own project only. Frames carry their device's signature and need no key.

import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { AttestreamError, type Access, type Engine } from '../engine/index.ts'

const ADMIN_KEY_CHARACTERS = 16

/** Finds out who sends a request; throws API_KEY_MISSING or API_KEY_INVALID. */
export type Authorise = (request: FastifyRequest) => Promise<Access>

/** The admin key is compared by hash and in constant time; project keys are the engine's to know. */
export function createAuthorise(engine: Engine, adminKey: string): Authorise {
  if (adminKey.length < ADMIN_KEY_CHARACTERS) {
    throw new AttestreamError(
      'API_KEY_INVALID',
      `The admin key has ${adminKey.length} characters; expected at least ${ADMIN_KEY_CHARACTERS}. Generate a random one.`,
    )
  }
  const adminHash = sha256(adminKey)
  return async (request) => {
    const key = bearerKey(request.headers.authorization)
    return timingSafeEqual(sha256(key), adminHash) ? { kind: 'admin' } : engine.authorise(key)
  }
}

/** Throws ACCESS_DENIED unless the key is the admin key. */
export function checkAdmin(access: Access): void {
  if (access.kind !== 'admin') throw denied('This operation needs the admin key.')
}

/** Throws ACCESS_DENIED unless the key reaches the project. */
export function checkProject(access: Access, projectId: bigint): void {
  if (access.kind === 'project' && access.projectId !== projectId) {
    throw denied(`The key belongs to project ${access.projectId}, not to ${projectId}. Use the key of that project.`)
  }
}

/** The project a list is about: the one asked for, or the key's own; the admin key has to name one. */
export function scopeProject(access: Access, asked: string | undefined): bigint {
  if (asked !== undefined) {
    checkProject(access, BigInt(asked))
    return BigInt(asked)
  }
  if (access.kind === 'project') return access.projectId
  throw new AttestreamError(
    'REQUEST_INVALID',
    'The admin key has no project of its own: add ?projectId=… to the query.',
  )
}

function bearerKey(header: string | undefined): string {
  if (header === undefined || header === '') {
    throw new AttestreamError('API_KEY_MISSING', 'This route needs the header Authorization: Bearer <API key>.')
  }
  const key = /^Bearer +([\x21-\x7e]{1,512})$/i.exec(header)?.[1]
  if (key === undefined) {
    throw new AttestreamError('API_KEY_INVALID', 'The Authorization header is not of the form: Bearer <API key>.')
  }
  return key
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function denied(message: string): AttestreamError {
  return new AttestreamError('ACCESS_DENIED', message)
}
