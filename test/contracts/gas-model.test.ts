import { describe, expect, it } from 'vitest'
import { expectedGas } from '../../contracts/gas-model.ts'
import gas from '../../contracts/gas.snapshot.json' with { type: 'json' }

describe('the gas of a batch', () => {
  it('is the measured one for 4 and 16 devices, and grows by the lane', () => {
    const anchor = gas['gas.anchor']
    expect(expectedGas(4)).toEqual({ anchor, settle: gas['gas.settle.D4'] })
    expect(expectedGas(16)).toEqual({ anchor, settle: gas['gas.settle.D16'] })
    const perDevice = (cohortSize: number) => expectedGas(cohortSize).settle / cohortSize
    expect(perDevice(64)).toBeLessThan(perDevice(16))
  })
})
