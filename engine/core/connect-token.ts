// With what a device proves to a broker that it is there: its signature over the time. A frame's message has five inputs, this one four, so
// neither stands for the other.

import { AttestreamError } from './errors.ts'
import { bytesToInteger, hexToBytes, integerToBytes, bytesToHex, concatBytes, type Hex } from './codec.ts'
import { poseidon, type Poseidon } from './poseidon.ts'
import { createVerifier, sign, type PublicKey } from './signature.ts'

/** 'attestream.connect.v1' as a big-endian integer. */
const TAG = bytesToInteger(new TextEncoder().encode('attestream.connect.v1'))
/** A token is good for so long before and after its time, so that it need not be exact to the second. */
export const CONNECT_TOKEN_SEC = 300

const TOKEN = /^(\d{1,12})\.([0-9a-f]{192})$/

interface Place {
  readonly deviceId: bigint
  readonly deviceDomain: bigint
}

/** `<timeSec>.<R8x R8y S in hexadecimal>`; `timeSec` is the device's clock, seconds since 1970. */
export function createConnectToken(secretKey: Uint8Array, place: Place, timeSec: number): string {
  const { r8x, r8y, s } = sign(secretKey, connectMessage(place, timeSec, poseidon))
  const bytes = concatBytes(...[r8x, r8y, s].map((value) => integerToBytes(value, 32)))
  return `${timeSec}.${bytesToHex(bytes).slice(2)}`
}

/** Throws CONNECT_TOKEN_INVALID unless `key` signed this token for the place and its time is near `nowSec`. */
export function verifyConnectToken(
  token: string,
  key: PublicKey,
  place: Place,
  nowSec: number,
  hash: Poseidon = poseidon,
): void {
  const [, time, hex] = TOKEN.exec(token) ?? []
  if (time === undefined) throw invalid('it is not of the form <seconds>.<192 hexadecimal digits>')
  const timeSec = Number(time)
  if (Math.abs(timeSec - nowSec) > CONNECT_TOKEN_SEC) {
    throw invalid(`its time is ${timeSec}, the clock here says ${nowSec}; at most ${CONNECT_TOKEN_SEC} s apart`)
  }
  const bytes = hexToBytes(`0x${hex}` as Hex, 96)
  const [r8x, r8y, s] = [0, 32, 64].map((at) => bytesToInteger(bytes.subarray(at, at + 32))) as [bigint, bigint, bigint]
  if (!createVerifier(key).verify(connectMessage(place, timeSec, hash), { r8x, r8y, s }, hash)) {
    throw invalid('its signature does not belong to the registered key')
  }
}

function connectMessage({ deviceId, deviceDomain }: Place, timeSec: number, hash: Poseidon): bigint {
  return hash([TAG, deviceDomain, deviceId, BigInt(timeSec)])
}

function invalid(why: string): AttestreamError {
  return new AttestreamError('CONNECT_TOKEN_INVALID', `The connect token is refused: ${why}. Make a new one.`)
}
