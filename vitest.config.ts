import { defineConfig } from 'vitest/config'

// Proofs, circuits and a chain node make single tests long; two cores make many files at once slower than few.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 300_000,
    hookTimeout: 600_000,
    pool: 'forks',
    maxWorkers: 2,
  },
})
