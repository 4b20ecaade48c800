// Tests of the contracts against one mutant, for `npm run mutate:contracts`.

import { defineConfig, mergeConfig } from 'vitest/config'
import base from '../../../vitest.config.ts'

export default mergeConfig(base, defineConfig({ test: { setupFiles: ['./test/contracts/mutation/setup.ts'] } }))
