// Frames over a WebSocket, with a real client.

import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { AttestreamError } from '../../engine/index.ts'
import { encodeFrameSequence } from '../../sdk/frame-sequence.ts'
import { engine, freshServer, newDevice, server } from './harness.ts'

freshServer()
const READING = { timeSec: 60, celsius: -5 }

async function open(): Promise<WebSocket> {
  const socket = new WebSocket(`${(await server.listen()).replace('http', 'ws')}/v1/frames/stream`)
  await once(socket, 'open')
  return socket
}
function answers(socket: WebSocket, count: number): Promise<any[]> {
  const came: unknown[] = []
  return new Promise((resolve) => {
    socket.on('message', (data) => {
      if (came.push(JSON.parse(String(data))) === count) resolve(came)
    })
  })
}

describe('the stream of frames', () => {
  it('answers each message in order, be it one frame, many, or none', async () => {
    const socket = await open()
    const device = newDevice()
    const frames = [1, 2, 3].map(() => device.buildFrame([READING]))
    const came = answers(socket, 3)
    socket.send(frames[0]!)
    socket.send(encodeFrameSequence(frames.slice(1)))
    socket.send(Uint8Array.of(9, 9))
    expect(await came).toMatchObject([
      { results: [{ acknowledgement: { sequence: '1' } }] },
      { results: [{ acknowledgement: { sequence: '2' } }, { acknowledgement: { sequence: '3' } }] },
      { results: [{ error: { code: 'FRAME_VERSION_UNKNOWN' } }] },
    ])
    socket.close()
  })

  it('D-05 holds back a sender that is ahead of the engine, and loses nothing', async () => {
    const { ingest } = engine
    let busy = true
    engine.ingest = async (frames, source) => {
      if (busy) throw new AttestreamError('ENGINE_BUSY', 'full')
      return ingest(frames, source)
    }
    const socket = await open()
    const device = newDevice()
    const came = answers(socket, 40)
    for (let i = 0; i < 40; i++) socket.send(device.buildFrame(Array.from({ length: 4 }, () => READING)))
    setTimeout(() => (busy = false), 300)
    const sequences = (await came).map(({ results }) => Number(results[0].acknowledgement.sequence))
    expect(sequences).toEqual(Array.from({ length: 40 }, (_, i) => i + 1))
    socket.close()
  })

  it('closes on text and on a message larger than a body may be', async () => {
    const text = await open()
    text.send('frame')
    expect((await once(text, 'close'))[0]).toBe(1003)
    const large = new WebSocket(text.url)
    await once(large, 'open')
    large.on('error', () => {})
    large.send(Buffer.alloc(65 * 1024))
    expect((await once(large, 'close'))[0]).toBe(1009)
  })
})
