// Public evidence: receipts and the data-availability objects they point to. Nobody needs a key to check the operator.

import { Type } from 'typebox'
import { encodeReceipt } from '../../engine/index.ts'
import { ERRORS_REPLY, TaskParams, binary, type Routes, type Hex } from '../routes.ts'
import { Hash, Receipt } from '../schemas.ts'

export const receiptRoutes: Routes = (app, { engine }) => {
  app.get(
    '/receipts/:taskId',
    {
      schema: {
        summary: 'The receipt of a proven task; check it with the offline verifier',
        tags: ['receipts'],
        params: TaskParams,
        response: { 200: Receipt, ...ERRORS_REPLY },
      },
    },
    async (request) => encodeReceipt(await engine.getReceipt(request.params.taskId as Hex)),
  )

  app.get(
    '/da/:daPointer',
    {
      schema: {
        summary: 'A data-availability object; the pointer is its SHA-256, so check it',
        tags: ['da'],
        params: Type.Object({ daPointer: Hash }),
        response: { 200: binary('application/octet-stream'), ...ERRORS_REPLY },
      },
    },
    async (request, reply) => {
      const bytes = await engine.getDaObject(request.params.daPointer as Hex)
      return reply
        .header('cache-control', 'public, max-age=31536000, immutable')
        .type('application/octet-stream')
        .send(Buffer.from(bytes))
    },
  )
}
