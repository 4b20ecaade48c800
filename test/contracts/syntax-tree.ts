// The syntax tree of Solidity sources, from the compiler's parser alone: no types, but seconds less.

import { createRequire } from 'node:module'
import { importer, type ReadSource } from '../../contracts/build.ts'

export interface Node {
  readonly nodeType: string
  readonly src: string
  readonly [key: string]: unknown
}

/** The syntax trees of sources, by path. */
export function parse(paths: readonly string[], read: ReadSource): Record<string, Node> {
  const solc = createRequire(import.meta.url)('solc') as { compile(input: string, callbacks: object): string }
  const sources = Object.fromEntries(paths.map((path) => [path, { content: read(path) }]))
  const settings = { stopAfter: 'parsing', outputSelection: { '*': { '': ['ast'] } } }
  const input = JSON.stringify({ language: 'Solidity', sources, settings })
  const output = JSON.parse(solc.compile(input, { import: importer(read) })) as {
    errors?: { severity: string; formattedMessage: string }[]
    sources: Record<string, { ast: Node }>
  }
  const problem = output.errors?.find(({ severity }) => severity === 'error')
  if (problem) throw new Error(problem.formattedMessage)
  return Object.fromEntries(paths.map((path) => [path, output.sources[path]!.ast]))
}

/** Children of a node, in the order of the source. */
export function children(node: Node): Node[] {
  const found = Object.values(node).flatMap((value) => (Array.isArray(value) ? value : [value]))
  return found.filter(isNode).sort((a, b) => start(a) - start(b))
}

export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'nodeType' in value
}

/** Byte at which a node starts, and the one behind it. */
export function start(node: Node): number {
  return Number(node.src.split(':')[0])
}

export function end(node: Node): number {
  const [at, length] = node.src.split(':').map(Number)
  return at! + length!
}
