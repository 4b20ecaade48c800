// Integers below 2^256, as four words: what the hints of circom do beside the field.

import { PRIME_BYTES } from './fr'

/** Results of `divide`. */
export const quotient: usize = memory.data(32)
export const value: usize = memory.data(32)
const shifted: usize = memory.data(32)

export function bitOf(a: usize, position: u32): bool {
  return <bool>((load<u8>(a + (position >> 3)) >> (position & 7)) & 1)
}

/** a or a + r, whichever lies in [lowest, lowest + r). */
export function liftFrom(a: usize, lowest: usize): void {
  if (!isLess(a, lowest)) return
  let carry: u64 = 0
  for (let k: usize = 0; k < 32; k += 8) {
    const word = load<u64>(a + k)
    const partial = word + load<u64>(PRIME_BYTES + k)
    const total = partial + carry
    carry = (<u64>(partial < word)) | (<u64>(total < partial))
    store<u64>(a + k, total)
  }
}

/** quotient = a / b and value = the remainder; a divisor of zero leaves a as the remainder. */
export function divide(a: usize, b: usize): void {
  memory.copy(value, a, 32)
  memory.fill(quotient, 0, 32)
  const top = highestBit(b)
  if (top < 0) return
  const distance = highestBit(a) - top
  if (distance < 0) return
  memory.copy(shifted, b, 32)
  for (let k = 0; k < distance; k++) double(shifted)
  for (let k = distance; k >= 0; k--) {
    if (!isLess(value, shifted)) {
      subtract(value, shifted)
      const bit: u32 = 1 << (k & 7)
      store<u8>(quotient + (k >> 3), load<u8>(quotient + (k >> 3)) | (<u8>bit))
    }
    halve(shifted)
  }
}

function highestBit(a: usize): i32 {
  for (let k = 24; k >= 0; k -= 8) {
    const word = load<u64>(a + k)
    if (word) return k * 8 + 63 - <i32>clz(word)
  }
  return -1
}

function isLess(a: usize, b: usize): bool {
  for (let k = 24; k >= 0; k -= 8) {
    const x = load<u64>(a + k)
    const y = load<u64>(b + k)
    if (x != y) return x < y
  }
  return false
}

function subtract(a: usize, b: usize): void {
  let borrow: u64 = 0
  for (let k: usize = 0; k < 32; k += 8) {
    const x = load<u64>(a + k)
    const partial = x - load<u64>(b + k)
    const total = partial - borrow
    borrow = (<u64>(partial > x)) | (<u64>(total > partial))
    store<u64>(a + k, total)
  }
}

function double(a: usize): void {
  let carry: u64 = 0
  for (let k: usize = 0; k < 32; k += 8) {
    const word = load<u64>(a + k)
    store<u64>(a + k, (word << 1) | carry)
    carry = word >> 63
  }
}

function halve(a: usize): void {
  let carry: u64 = 0
  for (let k = 24; k >= 0; k -= 8) {
    const word = load<u64>(a + k)
    store<u64>(a + k, (word >> 1) | carry)
    carry = word << 63
  }
}
