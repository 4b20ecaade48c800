// Record fields in an applet's linear memory: little-endian at the storage width of their type.

import { isSigned, storageBits, type Field } from '../core/layout.ts'

/** Stores a raw value, little-endian at the storage width, sign-extended from the declared width for signed types. */
export function writeField(view: DataView, address: number, field: Field, raw: bigint): void {
  const value = isSigned(field.type) ? BigInt.asIntN(field.bits, raw) : raw
  const bits = storageBits(field.type)
  if (bits === 8) view.setUint8(address, Number(BigInt.asUintN(8, value)))
  else if (bits === 16) view.setUint16(address, Number(BigInt.asUintN(16, value)), true)
  else if (bits === 32) view.setUint32(address, Number(BigInt.asUintN(32, value)), true)
  else view.setBigUint64(address, BigInt.asUintN(64, value), true)
}

/** The raw value at the declared width, or undefined if the stored value does not fit it. */
export function readField(view: DataView, address: number, field: Field): bigint | undefined {
  const bits = storageBits(field.type)
  const stored = readUnsigned(view, address, bits)
  const raw = BigInt.asUintN(field.bits, stored)
  const back = isSigned(field.type) ? BigInt.asUintN(bits, BigInt.asIntN(field.bits, raw)) : raw
  return back === stored ? raw : undefined
}

function readUnsigned(view: DataView, address: number, bits: number): bigint {
  if (bits === 64) return view.getBigUint64(address, true)
  return BigInt(
    bits === 8 ? view.getUint8(address) : bits === 16 ? view.getUint16(address, true) : view.getUint32(address, true),
  )
}
