// The tests of the contracts, for `npm run coverage:contracts`. Left out: what is about the real code's size, ABI or gas alone.

import { defineConfig, mergeConfig } from 'vitest/config'
import base from '../../../vitest.config.ts'

export default mergeConfig(
  base,
  defineConfig({
    test: {
      exclude: ['test/contracts/build.test.ts', 'test/contracts/gas.test.ts', 'test/contracts/coverage/**'],
      setupFiles: ['./test/contracts/coverage/setup.ts'],
    },
  }),
)
