// Every function of the library with its model, in the order of docs/applet-library.md.
import type { LibraryCase } from '../harness.ts'
import { FIXED_CASES } from './fixed.ts'
import { INTEGER_CASES } from './integer.ts'
import { LIMIT_CASES } from './limits.ts'
import { PLACE_CASES } from './place.ts'
import { TIME_AND_SIGNAL_CASES } from './time.ts'
import { WINDOW_CASES } from './window.ts'

export { SHARED_EDGES } from './place.ts'

export const CASES: LibraryCase[] = [
  ...INTEGER_CASES,
  ...FIXED_CASES,
  ...WINDOW_CASES,
  ...LIMIT_CASES,
  ...TIME_AND_SIGNAL_CASES,
  ...PLACE_CASES,
]
