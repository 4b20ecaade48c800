// Transforms and rows of constraints, against sums written out and against ffjavascript.

import fc from 'fast-check'
import { buildBn128 } from 'ffjavascript'
import { expect, it } from 'vitest'
import { powField, rootOfUnity } from '../../../../circuits/setup/field-batch.ts'
import { FIELD_ORDER } from '../../../../engine/core/field.ts'
import { ELEMENT_BYTES } from '../../../../engine/prover/wasm/unrolled-field.ts'
import { newKernel, scalars, withMemory, writeScalars } from './loaded-kernel.ts'

const kernel = newKernel()
const r = FIELD_ORDER

function write(values: readonly bigint[]): number {
  const out = kernel.allocate(values.length * ELEMENT_BYTES)
  const plain = writeScalars(kernel, values)
  expect(kernel.call('loadWitness', out, plain, values.length)).toBe(-1)
  return out
}

function read(address: number, count: number): bigint[] {
  const plain = kernel.allocate(32)
  return Array.from({ length: count }, (_, k) => {
    kernel.call('fromField', plain, address + k * ELEMENT_BYTES)
    return kernel.readScalar(plain)
  })
}

const reversed = (k: number, log: number) =>
  log === 0 ? 0 : parseInt([...k.toString(2).padStart(log, '0')].reverse().join(''), 2)

function factors(root: bigint, log: number): number {
  const table = kernel.allocate(2 ** (log - 1) * ELEMENT_BYTES)
  kernel.call('fillFactors', table, kernel.fieldElement(root), log)
  return table
}

const evaluations = (values: readonly bigint[], root: bigint) =>
  values.map((_, j) => values.reduce((sum, value, k) => (sum + value * powField(root, BigInt(j * k))) % r, 0n))

it.each([1, 2, 3, 5])('transforms 2^%i values, to reversed order and back from it', (log) => {
  const size = 2 ** log
  const root = rootOfUnity(log)
  fc.assert(
    fc.property(fc.array(scalars, { minLength: size, maxLength: size }), (values) => {
      withMemory(kernel, () => {
        const table = factors(root, log)
        const expected = evaluations(values, root)
        const spread = write(values)
        kernel.call('spread', spread, log, table)
        expect(read(spread, size)).toEqual(values.map((_, k) => expected[reversed(k, log)]))
        const gathered = write(values.map((_, k) => values[reversed(k, log)]!))
        kernel.call('gather', gathered, log, table)
        expect(read(gathered, size)).toEqual(expected)
      })
    }),
    { numRuns: 10 },
  )
})

it('goes to coefficients, to another coset and to values as ffjavascript does', async () => {
  const log = 8
  const size = 2 ** log
  const values = Array.from({ length: size }, (_, k) => powField(BigInt(k + 3), r - 5n - BigInt(k)))
  const step = rootOfUnity(log + 1)
  const inverse = (value: bigint) => powField(value, r - 2n)
  const own = withMemory(kernel, () => {
    const [toCoefficients, toValues] = [factors(inverse(rootOfUnity(log)), log), factors(rootOfUnity(log), log)]
    const polynomials = [write(values), write(values), write([...values].reverse())] as const
    for (const each of polynomials) kernel.call('spread', each, log, toCoefficients)
    const first = kernel.fieldElement(inverse(BigInt(size)))
    kernel.call('scaleCosets', ...polynomials, log, first, kernel.fieldElement(step))
    for (const each of polynomials) kernel.call('gather', each, log, toValues)
    return polynomials.map((each) => read(each, size))
  })
  const { Fr, terminate } = await buildBn128(true)
  const onCoset = async (list: readonly bigint[]) => {
    const bytes = new Uint8Array(Buffer.concat(list.map((value) => Fr.e(value) as Uint8Array)))
    const moved = await Fr.batchApplyKey(await Fr.ifft(bytes), Fr.e(1), Fr.e(step))
    const out = (await Fr.fft(moved)) as Uint8Array
    return list.map((_, k) => Fr.toObject(out.slice(32 * k, 32 * k + 32)) as bigint)
  }
  const expected = await onCoset(values)
  const others = [expected, expected, await onCoset([...values].reverse())]
  await terminate()
  expect(own.flat().findIndex((value, k) => value !== others.flat()[k])).toBe(-1)
})

it('keeps long runs of extreme values in range', () => {
  const log = 13
  const size = 2 ** log
  withMemory(kernel, () => {
    const table = factors(rootOfUnity(log), log)
    const values = write(Array<bigint>(size).fill(r - 1n))
    kernel.call('spread', values, log, table)
    const point = read(values, 2)
    expect(point).toEqual([(BigInt(size) * (r - 1n)) % r, 0n])
    kernel.call('gather', values, log, factors(powField(rootOfUnity(log), r - 2n), log))
    expect(new Set(read(values, size))).toEqual(new Set([(BigInt(size) * (r - 1n)) % r]))
  })
})
