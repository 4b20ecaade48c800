// Where tests keep what provers compile.

import { join } from 'node:path'

export const KERNEL_CACHE = join(import.meta.dirname, '../../../../build/prover')
