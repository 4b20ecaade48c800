import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { KERNEL_SHA256, loadKernel } from '../../../../engine/prover/wasm/compile.ts'

it('compiles the kernel to the bytes of its hash, in place of a damaged file, and it imports nothing', async () => {
  const cache = mkdtempSync(join(tmpdir(), 'attestream-kernel-'))
  const dir = join(cache, `kernel-${KERNEL_SHA256.slice(0, 40)}`)
  mkdirSync(dir)
  writeFileSync(join(dir, 'kernel.wasm'), 'damaged')
  const module = await loadKernel(cache)
  expect(readdirSync(dir)).toEqual(['kernel.wasm'])
  const bytes = readFileSync(join(dir, 'kernel.wasm'))
  expect(createHash('sha256').update(bytes).digest('hex')).toBe(KERNEL_SHA256)
  expect(WebAssembly.Module.imports(module)).toEqual([])
  rmSync(cache, { recursive: true })
})
