// The server itself: health, version, and the OpenAPI document of all routes.

import manifest from '../../package.json' with { type: 'json' }
import { toJson } from '../json.ts'
import { ERRORS_REPLY, type Routes } from '../routes.ts'
import { Health, Version } from '../schemas.ts'

export const statusRoutes: Routes = (app, { engine }) => {
  const tags = ['status']

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
      const health = await engine.health()
      return reply
        .code(health.ok ? 200 : 503)
        .header('cache-control', 'no-store')
        .send(toJson(health))
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
