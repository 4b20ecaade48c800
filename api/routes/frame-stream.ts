// Frames over a WebSocket: each binary message is answered by one text message, in order. A sender that is ahead of the engine is not read on,
// so the connection's own flow control holds it back. Needs the WebSocket plugin.

import type { WebSocket } from 'ws'
import { createMessageLine, type MessageSource } from '../frame-message.ts'
import type { Routes } from '../routes.ts'

/** With so many messages of a connection in work, nothing more is read from it until an answer has gone. */
const MESSAGES_AT_ONCE = 8
const UNSUPPORTED_DATA = 1003

export const frameStreamRoute: Routes = (app, { engine }) => {
  app.get('/frames/stream', { websocket: true, schema: { hide: true } }, (socket, request) => {
    const source: MessageSource = {
      name: request.ip,
      isOpen: () => socket.readyState === socket.OPEN,
      onError: (error) => request.log.error({ err: error }, 'message could not be ingested'),
    }
    answerInOrder(socket, createMessageLine(engine, source))
  })
}

function answerInOrder(socket: WebSocket, answer: (message: Uint8Array) => Promise<object>): void {
  let inWork = 0
  let last: Promise<unknown> = Promise.resolve()
  socket.on('message', (data: Buffer, isBinary: boolean) => {
    if (!isBinary) return socket.close(UNSUPPORTED_DATA, 'expected canonical bytes of frames in binary messages')
    if (++inWork >= MESSAGES_AT_ONCE) socket.pause()
    const answering = answer(data)
    last = Promise.all([answering, last]).then(([text]) => {
      socket.send(JSON.stringify(text), () => {
        inWork--
        socket.resume()
      })
    })
  })
  socket.on('error', () => socket.terminate())
}
