// A ceiling on the size of MQTT packets. The parser keeps a packet until it is whole, so without this a header that announces 256 MB could
// make it keep them.

import type { Socket } from 'node:net'

/** Destroys the socket when a packet's header announces more than `maxBytes`. Follows what is read, before it is parsed. */
export function limitPackets(socket: Socket, maxBytes: number): void {
  const read = socket.read.bind(socket)
  const follow = createFollower(maxBytes)
  socket.read = (size?: number) => {
    const chunk = read(size) as Buffer | null
    if (chunk !== null && !follow(chunk)) socket.destroy(new Error(`an MQTT packet of more than ${maxBytes} bytes`))
    return socket.destroyed ? null : chunk
  }
}

/** Says of each chunk of the stream whether all packets that begin in it are small enough. */
export function createFollower(maxBytes: number): (chunk: Uint8Array) => boolean {
  let state: 'type' | 'length' | 'rest' = 'type'
  let length = 0
  let shift = 0
  return (chunk) => {
    let at = 0
    while (at < chunk.length) {
      if (state === 'rest') {
        const step = Math.min(length, chunk.length - at)
        at += step
        length -= step
        if (length === 0) state = 'type'
        continue
      }
      const byte = chunk[at++]!
      if (state === 'type') {
        state = 'length'
        length = shift = 0
        continue
      }
      length += (byte & 127) * 2 ** shift
      shift += 7
      if (length > maxBytes || shift > 28) return false
      if (byte < 128) state = length === 0 ? 'type' : 'rest'
    }
    return true
  }
}
