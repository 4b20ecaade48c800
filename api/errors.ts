// How errors leave over HTTP: { error: { code, message, details?, requestId } } with the status of the code.
// A failure without a code becomes INTERNAL: its message and stack go to the log, never to the client.

import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { AttestreamError, isAttestreamError, type ErrorCode } from '../engine/index.ts'
import { ERROR_TABLE } from './error-table.ts'
import { toJson } from './json.ts'

/** HTTP status of a code. */
export function httpStatus(code: ErrorCode): number {
  return ERROR_TABLE[code]?.[0] ?? 500
}

/** Body of an error reply. */
export interface ErrorBody {
  readonly error: {
    readonly code: ErrorCode
    readonly message: string
    readonly details?: Record<string, unknown>
    readonly requestId: string
  }
}

/** What is told about any failure, coded or not; never a message that was not written for clients. */
export function publicError(error: unknown): AttestreamError {
  if (isAttestreamError(error)) return error
  return isFastifyError(error) ? fromFastify(error) : internal()
}

export function errorBody(error: AttestreamError, requestId: string): ErrorBody {
  const { code, message, details } = error
  const some = Object.keys(details).length > 0
  return { error: { code, message, ...(some && { details: toJson(details) }), requestId } }
}

/** Sends any failure as its coded reply and logs those that are the engine's fault. */
export function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const known = publicError(error)
  const status = httpStatus(known.code)
  if (status >= 500) request.log.error({ err: error, code: known.code }, 'request failed')
  if (status === 401) void reply.header('www-authenticate', 'Bearer')
  if (status === 503 || status === 429) void reply.header('retry-after', String(known.details.retryAfterSec ?? 1))
  void reply
    .code(status)
    .header('cache-control', 'no-store')
    .type('application/json; charset=utf-8')
    .send(errorBody(known, request.id))
}

function isFastifyError(error: unknown): error is FastifyError {
  return error instanceof Error && 'statusCode' in error && Number(error.statusCode) < 500
}

function fromFastify(error: FastifyError): AttestreamError {
  if (error.validation) return invalidRequest(error)
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return new AttestreamError('BODY_TOO_LARGE', 'The body is larger than this route takes. Send less at once.')
  }
  if (error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return new AttestreamError(
      'MEDIA_TYPE_UNSUPPORTED',
      'This route does not read this content type; see /openapi.json.',
    )
  }
  return new AttestreamError('REQUEST_INVALID', requestProblem(error))
}

function requestProblem(error: FastifyError): string {
  if (error.code === 'FST_ERR_CTP_EMPTY_JSON_BODY') return 'The body is empty; expected JSON.'
  if (error instanceof SyntaxError || error.code === 'FST_ERR_CTP_INVALID_JSON_BODY') {
    return 'The body is not JSON, or has a property that JSON bodies may not have (__proto__, constructor).'
  }
  return 'The request is malformed; see /openapi.json for what this route takes.'
}

function invalidRequest(error: FastifyError): AttestreamError {
  const part = error.validationContext ?? 'request'
  const problems = (error.validation ?? []).slice(0, 10).map((problem) => ({
    path: `${part}${problem.instancePath.replaceAll('/', '.')}`,
    problem: problem.message ?? problem.keyword,
  }))
  const first = problems[0] ?? { path: part, problem: 'is invalid' }
  return new AttestreamError('REQUEST_INVALID', `${first.path}: ${first.problem}. See /openapi.json.`, { problems })
}

function internal(): AttestreamError {
  return new AttestreamError(
    'INTERNAL',
    'The engine failed; its log has the request id and the reason. Try again later.',
  )
}
