// The kernel's arithmetic in both fields and in the extension, against bigint.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BASE_FIELD_ORDER, FIELD_ORDER } from '../../../../engine/core/field.ts'
import { ELEMENT_BYTES } from '../../../../engine/prover/wasm/unrolled-field.ts'
import { coordinates, elements, newKernel, withMemory } from './loaded-kernel.ts'

const kernel = newKernel()
const FIELDS = [
  { name: 'fq', order: BASE_FIELD_ORDER, write: (x: bigint) => kernel.baseElement(x), read: 'fromBaseField' },
  { name: 'fr', order: FIELD_ORDER, write: (x: bigint) => kernel.fieldElement(x), read: 'fromField' },
] as const
const mod = (value: bigint, order: bigint) => ((value % order) + order) % order

describe.each(FIELDS)('the field $name', ({ name, order, write, read }) => {
  function readElement(address: number): bigint {
    const plain = kernel.allocate(32)
    kernel.call(read, plain, address)
    return kernel.readScalar(plain)
  }
  const compute = (operation: string, ...values: bigint[]) =>
    withMemory(kernel, () => {
      const out = write(0n)
      kernel.call(name + operation, out, ...values.map(write))
      return readElement(out)
    })
  const field = elements(order)

  it('multiplies, squares, adds and subtracts, alone and together', () => {
    fc.assert(
      fc.property(field, field, field, field, (a, b, c, d) => {
        expect(compute('Mul', a, b)).toBe((a * b) % order)
        expect(compute('Sqr', a)).toBe((a * a) % order)
        expect(compute('Add', a, b)).toBe((a + b) % order)
        expect(compute('Sub', a, b)).toBe(mod(a - b, order))
        expect(compute('MulAdd', a, b, c)).toBe((a * b + c) % order)
        expect(compute('MulSub', a, b, c)).toBe(mod(a * b - c, order))
        expect(compute('SqrSub', a, c, d)).toBe(mod(a * a - c - d, order))
      }),
      { numRuns: 500 },
    )
  })

  it('inverts', () => {
    fc.assert(
      fc.property(field, (a) => {
        expect(mod(compute('Inverse', a) * a, order)).toBe(a === 0n ? 0n : 1n)
      }),
      { numRuns: 30 },
    )
  })

  it('stays right when results go into operations without being made small: sums, differences and long chains', () => {
    fc.assert(
      fc.property(field, field, (a, b) => {
        withMemory(kernel, () => {
          let [x, y] = [a, b]
          const [left, right, sum, difference] = [write(a), write(b), write(0n), write(0n)]
          for (let round = 0; round < 20; round++) {
            kernel.call(`${name}Add`, sum, left, right)
            kernel.call(`${name}Difference`, difference, right, left)
            kernel.call(`${name}Mul`, left, sum, difference)
            kernel.call(`${name}Sqr`, right, sum)
            ;[x, y] = [mod((x + y) * (y - x), order), mod((x + y) ** 2n, order)]
          }
          expect([readElement(left), readElement(right)]).toEqual([x, y])
        })
      }),
    )
  })

  it('reads no number that is not below the order, and gives no other back', () => {
    withMemory(kernel, () => {
      const [out, plain] = [write(7n), kernel.allocate(32)]
      const toField = name === 'fq' ? 'toBaseField' : 'toField'
      for (const alias of [order, order + 1n, 2n * order, (1n << 256n) - 1n]) {
        kernel.writeScalar(plain, alias)
        expect(kernel.call(toField, out, plain)).toBe(0)
        expect(readElement(out)).toBe(7n)
      }
      kernel.writeScalar(plain, order - 1n)
      expect(kernel.call(toField, out, plain)).toBe(1)
      expect(readElement(out)).toBe(order - 1n)
    })
  })
})

describe('the extension of F_q', () => {
  type Pair = readonly [bigint, bigint]
  const pairs = fc.tuple(coordinates, coordinates)
  const product = ([a, b]: Pair, [c, d]: Pair): Pair => [a * c - b * d, a * d + b * c]
  const minus = (a: Pair, ...others: Pair[]): Pair => [
    others.reduce((rest, other) => rest - other[0], a[0]),
    others.reduce((rest, other) => rest - other[1], a[1]),
  ]
  const compute = (operation: string, ...values: Pair[]) =>
    withMemory(kernel, () => {
      const out = kernel.baseElement(0n, 0n)
      kernel.call(`fq2${operation}`, out, ...values.map((pair) => kernel.baseElement(...pair)))
      const plain = kernel.allocate(32)
      return [0, 1].map((part) => {
        kernel.call('fromBaseField', plain, out + part * ELEMENT_BYTES)
        return kernel.readScalar(plain)
      })
    })
  const canonical = (pair: Pair) => pair.map((value) => mod(value, BASE_FIELD_ORDER))

  it('multiplies and squares, alone and with subtraction', () => {
    fc.assert(
      fc.property(pairs, pairs, pairs, pairs, (a, b, c, d) => {
        expect(compute('Mul', a, b)).toEqual(canonical(product(a, b)))
        expect(compute('Sqr', a)).toEqual(canonical(product(a, a)))
        expect(compute('MulSub', a, b, c)).toEqual(canonical(minus(product(a, b), c)))
        expect(compute('SqrSub', a, c, d)).toEqual(canonical(minus(product(a, a), c, d)))
      }),
      { numRuns: 500 },
    )
  })
})
