// Compares the code that a chain holds with what our compiler made, apart from the places that are filled in at construction:
// immutable values, and a library's own address.

import type { Hex } from 'viem'
import type { Artifact } from './build.ts'

/** How solc begins a library: PUSH20 of its own address, zeros before deployment. */
const LIBRARY_START = `73${'0'.repeat(40)}30`

/** `libraries`: library name → address linked into the code. */
export function isDeployedCode(code: Hex, artifact: Artifact, libraries: Readonly<Record<string, Hex>>): boolean {
  const { runtime } = artifact
  let expected = runtime.code
  let actual = code.slice(2).toLowerCase()
  const write = (text: string, start: number, by: string) => text.slice(0, 2 * start) + by + text.slice(2 * start + by.length) // prettier-ignore
  for (const [library, starts] of Object.entries(runtime.links)) {
    for (const start of starts) expected = write(expected, start, (libraries[library] ?? '').slice(2).toLowerCase())
  }
  const filled = [...runtime.immutables]
  if (expected.startsWith(LIBRARY_START)) filled.push({ start: 1, length: 20 })
  for (const { start, length } of filled) actual = write(actual, start, '00'.repeat(length))
  return actual === expected
}
