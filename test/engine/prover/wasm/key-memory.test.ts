// The memory that a key is planned to take, against what it takes.

import { expect, it } from 'vitest'
import { readKeySize } from '../../../../engine/prover/key-size.ts'
import { keyMemoryBytes, SUM_BYTES } from '../../../../engine/prover/wasm/key-memory.ts'
import { loadKey } from '../../../../engine/prover/wasm/resident-key.ts'
import { buildToy, meterToy } from '../../../circuits/lib/toy.ts'
import { rootsCircuit } from '../roots.ts'
import { kernelModule, newKernel } from './loaded-kernel.ts'

it('a key takes no more memory than its size says, and not much less', async () => {
  const roots = await rootsCircuit()
  const { paths } = await buildToy(meterToy, 4)
  for (const zkey of [roots.files.zkey, paths.zkey]) {
    const planned = keyMemoryBytes(readKeySize(zkey))
    const taken = loadKey(kernelModule, zkey, planned).kernel.memory.buffer.byteLength
    expect(taken).toBeLessThanOrEqual(planned)
    expect(taken).toBeGreaterThan(planned / 2 - 4 * 2 ** 20)
  }
  roots.remove()
})

it.each(['g1', 'g2'] as const)('the working memory of a sum in %s is bounded by its points', (group) => {
  const kernel = newKernel()
  for (let points = 2 ** 12; points < 2 ** 23; points = Math.ceil(points * 1.07)) {
    const bytes = kernel.callGroup(group, 'msmBytes', points)
    expect(bytes, `${points} points`).toBeLessThanOrEqual(points * SUM_BYTES[group] + 2 ** 20)
  }
})
