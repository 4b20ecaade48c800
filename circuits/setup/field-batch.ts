// Arithmetic in F over whole lists, for evaluating a circuit's polynomials at one point.

import { FIELD_ORDER, toField } from '../../engine/core/field.ts'

/** F* has a subgroup of order 2^28; 5 generates F* together with it (the root that snarkjs uses). */
const TWO_ADICITY = 28
const GENERATOR = 5n

export function powField(base: bigint, exponent: bigint): bigint {
  let result = 1n
  for (let b = base; exponent > 0n; exponent >>= 1n, b = (b * b) % FIELD_ORDER) {
    if (exponent & 1n) result = (result * b) % FIELD_ORDER
  }
  return result
}

/** 1/value by Euclid's algorithm; 0 for 0. */
export function invertField(value: bigint): bigint {
  let [a, b, x, y] = [value, FIELD_ORDER, 1n, 0n]
  while (b !== 0n) {
    const q = a / b
    ;[a, b, x, y] = [b, a - q * b, y, x - q * y]
  }
  return toField(x)
}

/** Inverses of a list of non-zero elements, with one inversion. */
function invertAll(values: readonly bigint[]): bigint[] {
  const prefix: bigint[] = []
  let product = 1n
  for (const value of values) {
    prefix.push(product)
    product = (product * value) % FIELD_ORDER
  }
  let inverse = invertField(product)
  const out = new Array<bigint>(values.length)
  for (let i = values.length - 1; i >= 0; i--) {
    out[i] = (inverse * prefix[i]!) % FIELD_ORDER
    inverse = (inverse * values[i]!) % FIELD_ORDER
  }
  return out
}

/** Primitive root of unity of order 2^power. */
export function rootOfUnity(power: number): bigint {
  const odd = (FIELD_ORDER - 1n) >> BigInt(TWO_ADICITY)
  return powField(GENERATOR, odd << BigInt(TWO_ADICITY - power))
}

/**
 * Lagrange basis of the 2^power-th roots of unity w^i, evaluated at `point`: element k belongs to i = first + k·step.
 *
 *   L_i(x) = (x^n − 1)/n · w^i / (x − w^i),  n = 2^power
 */
export function lagrangeAt(point: bigint, power: number, first = 0, step = 1): bigint[] {
  const size = 1n << BigInt(power)
  const root = rootOfUnity(power)
  const stride = powField(root, BigInt(step))
  const scale = ((powField(point, size) - 1n) * invertField(size)) % FIELD_ORDER
  const points: bigint[] = []
  for (let i = first, w = powField(root, BigInt(first)); i < Number(size); i += step, w = (w * stride) % FIELD_ORDER) {
    points.push(w)
  }
  const inverses = invertAll(points.map((w) => toField(point - w)))
  return points.map((w, k) => toField(((w * inverses[k]!) % FIELD_ORDER) * scale))
}
