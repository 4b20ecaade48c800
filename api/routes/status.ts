// The server itself: health, version, and the OpenAPI document of all routes.

import manifest from '../../package.json' with { type: 'json' }
import type { Engine } from '../../engine/index.ts'
import { toJson } from '../json.ts'
import { ERRORS_REPLY, type Routes } from '../routes.ts'
import { Health, Version } from '../schemas.ts'

/** Nobody needs a key to ask, so asking often must not reach the chain's node as often. */
const HEALTH_KEPT_MS = 500

export const statusRoutes: Routes = (app, { engine }) => {
  const tags = ['status']
  let kept: { health: ReturnType<Engine['health']>; untilMs: number } | undefined
  const health = () => {
    if (!kept || kept.untilMs <= Date.now()) kept = { health: engine.health(), untilMs: Date.now() + HEALTH_KEPT_MS }
    return kept.health
  }

  app.get(
    '/health',
    {
      schema: {
        summary: 'Whether the engine works: 200, or 503 with the same fields',
        tags,
        response: { 200: Health, 503: Health, ...ERRORS_REPLY },
      },
    },
    async (_request, reply) => {
      const current = await health()
      return reply
        .code(current.ok ? 200 : 503)
        .header('cache-control', 'no-store')
        .send(toJson(current))
    },
  )

  app.get(
    '/version',
    { schema: { summary: 'Version of the engine and the contracts it works for', tags, response: { 200: Version } } },
    async () => ({
      name: manifest.name,
      version: manifest.version,
      operator: engine.operator,
      chain: toJson(engine.chain),
    }),
  )

  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger())
}
