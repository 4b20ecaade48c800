// Writes into Solidity sources a call before every statement and around every condition, each with a number of its own, from the
// compiler's syntax tree. The call asks an address where nobody lives, so who watches a chain's calls sees what was executed.
// Conditions are those of if, ?: and require, and each operand of && and ||. Assembly counts as one statement.

import type { ReadSource } from '../../../contracts/build.ts'
import { children, end, isNode, parse, start, type Node } from '../syntax-tree.ts'

/** A place that a test can reach: a statement, or one outcome of a condition. Its id is its index. */
export interface Point {
  readonly kind: 'statement' | 'branch'
  readonly path: string
  readonly line: number
  /** The statement's or the condition's text, shortened; for a branch also its outcome. */
  readonly text: string
}

export interface Instrumented {
  readonly points: readonly Point[]
  /** The sources with the calls, and the library that they call; everything else as it was. */
  readonly read: ReadSource
}

/** Where calls with a point's number go: nobody has its key. */
export const SENTINEL = '0xc0fe000000000000000000000000000000000000'

const LIBRARY_PATH = 'coverage/Coverage.sol'
const LIBRARY = `// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

library Coverage {
    function hit(uint256 id) internal pure {
        asPure(record)(id);
    }

    function either(bool condition, uint256 yes, uint256 no) internal pure returns (bool) {
        hit(condition ? yes : no);
        return condition;
    }

    function record(uint256 id) private view {
        assembly ("memory-safe") {
            mstore(0, id)
            pop(staticcall(gas(), ${SENTINEL}, 0, 32, 0, 0))
        }
    }

    function asPure(function(uint256) internal view impure) private pure returns (function(uint256) internal pure pure_) {
        assembly ("memory-safe") {
            pure_ := impure
        }
    }
}
`
const MAX_TEXT = 60
const GROUPS = new Set(['Block', 'UncheckedBlock'])

/** Instruments the sources at `paths`. Throws if one does not parse. */
export function instrument(paths: readonly string[], read: ReadSource): Instrumented {
  const trees = parse(paths, read)
  const points: Point[] = []
  const written = new Map(paths.map((path) => [path, rewrite(path, read(path), trees[path]!, points)]))
  written.set(LIBRARY_PATH, LIBRARY)
  return { points, read: (path) => written.get(path) ?? read(path) }
}

function rewrite(path: string, source: string, tree: Node, points: Point[]): string {
  const bytes = Buffer.from(source).toString('latin1') // the tree counts bytes
  const opening: [at: number, text: string][] = []
  const closing: [at: number, text: string][] = []

  function addPoint(kind: Point['kind'], node: Node, outcome = ''): number {
    const text = Buffer.from(bytes.slice(start(node), end(node)), 'latin1')
      .toString()
      .replace(/\s+/g, ' ')
    const short = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text
    const line = bytes.slice(0, start(node)).split('\n').length
    return points.push({ kind, path, line, text: `${short}${outcome}` }) - 1
  }

  function visit(node: Node): void {
    if (node.nodeType === 'InlineAssembly') return
    if (GROUPS.has(node.nodeType)) (node.statements as Node[]).forEach(markStatement)
    for (const key of ['trueBody', 'falseBody', 'body']) {
      const body = node[key]
      if (isNode(body) && !GROUPS.has(body.nodeType)) markBody(body)
    }
    if (node.nodeType === 'TryCatchClause') markClause(node)
    for (const condition of conditionsOf(node)) markCondition(condition)
    children(node).forEach(visit)
  }

  function markStatement(node: Node): void {
    if (!GROUPS.has(node.nodeType)) opening.push([start(node), `Coverage.hit(${addPoint('statement', node)});`])
  }

  function markBody(node: Node): void {
    opening.push([start(node), `{Coverage.hit(${addPoint('statement', node)});`])
    closing.unshift([statementEnd(node, bytes), '}'])
  }

  function markClause(node: Node): void {
    const at = start(node.block as Node) + 1
    opening.push([at, `Coverage.hit(${addPoint('branch', node)});`])
  }

  function markCondition(node: Node): void {
    const [yes, no] = [addPoint('branch', node, ' → true'), addPoint('branch', node, ' → false')]
    opening.push([start(node), 'Coverage.either('])
    closing.unshift([end(node), `,${yes},${no})`])
  }

  visit(tree)
  const pragma = (tree.nodes as Node[]).find(({ nodeType }) => nodeType === 'PragmaDirective')!
  closing.push([end(pragma), `import {Coverage} from "${LIBRARY_PATH}";`])
  return Buffer.from(insert(bytes, [...closing, ...opening]), 'latin1').toString()
}

function conditionsOf(node: Node): Node[] {
  if (node.nodeType === 'IfStatement' || node.nodeType === 'Conditional') return [node.condition as Node]
  if (node.nodeType === 'BinaryOperation' && isJunction(node)) {
    return [node.leftExpression as Node, node.rightExpression as Node].filter((side) => !isJunction(side))
  }
  const called = node.nodeType === 'FunctionCall' ? (node.expression as Node) : undefined
  return called?.name === 'require' || called?.name === 'assert' ? [(node.arguments as Node[])[0]!] : []
}

function isJunction(node: Node): boolean {
  return node.operator === '||' || node.operator === '&&'
}

/** Position behind a statement that is no block, its semicolon included. */
function statementEnd(node: Node, bytes: string): number {
  const inner = [node.falseBody, node.trueBody, node.body].find(isNode)
  if (inner) return GROUPS.has(inner.nodeType) ? end(inner) : statementEnd(inner, bytes)
  if (node.nodeType === 'TryStatement') return end(node)
  return bytes.indexOf(';', end(node) - 1) + 1
}

/** Inserts texts; at one position in the order given. */
function insert(text: string, insertions: [at: number, text: string][]): string {
  let result = ''
  let from = 0
  for (const [at, added] of insertions.sort(([a], [b]) => a - b)) {
    result += text.slice(from, at) + added
    from = at
  }
  return result + text.slice(from)
}
