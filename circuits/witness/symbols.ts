// Names of a circuit's wires, from circom's .sym file: a line is label,wire,component,name; wire −1 has been optimised away.

import { readFileSync } from 'node:fs'
import type { Permutation } from './poseidon-rows.ts'

export interface Symbols {
  /** A name of each wire. */
  readonly names: readonly (string | undefined)[]
  readonly permutations: readonly Permutation[]
}

const PERMUTATION = /^(.*\.pEx)\.((sigmaF\[\d+\]\[(\d+)\]|sigmaP\[(\d+)\]|mix\[\d+\]|mixS\[\d+\])\.\w+(?:\[\d+\])?)$/

export function readSymbols(path: string): Symbols {
  const names: (string | undefined)[] = []
  const permutations = new Map<string, { wires: Map<string, number>; width: number; partialRounds: number }>()
  for (const line of readFileSync(path, 'latin1').split('\n')) {
    const [, wireText, , name] = line.split(',')
    if (name === undefined) continue
    const wire = Number(wireText)
    if (wire >= 0) names[wire] ??= name
    if (!name.includes('.pEx.')) continue
    const match = PERMUTATION.exec(name)
    if (!match) continue
    let known = permutations.get(match[1]!)
    if (!known) permutations.set(match[1]!, (known = { wires: new Map(), width: 0, partialRounds: 0 }))
    if (match[4] !== undefined) known.width = Math.max(known.width, Number(match[4]) + 1)
    if (match[5] !== undefined) known.partialRounds = Math.max(known.partialRounds, Number(match[5]) + 1)
    if (wire >= 0) known.wires.set(match[2]!, wire)
  }
  return { names, permutations: [...permutations.values()] }
}
