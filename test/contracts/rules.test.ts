// What no contract of ours may do, read from the syntax trees of all of them. solhint checks the rest (.solhintrc.yml).

import { describe, expect, it } from 'vitest'
import { ownSources, sourceOf, type ReadSource } from '../../contracts/build.ts'
import { children, parse, type Node } from './syntax-tree.ts'

/** Members, identifiers and assembly instructions; `tx.origin` and the like as they are written. */
const FORBIDDEN = new Map([
  ['delegatecall', 'runs foreign code on our storage'],
  ['callcode', 'runs foreign code on our storage'],
  ['selfdestruct', 'ends the contract'],
  ['suicide', 'ends the contract'],
  ['tx.origin', 'is not who calls'],
  ['origin', 'is not who calls'],
  ['block.prevrandao', 'is chosen by who makes the block'],
  ['block.difficulty', 'is chosen by who makes the block'],
  ['block.coinbase', 'is chosen by who makes the block'],
  ['prevrandao', 'is chosen by who makes the block'],
  ['difficulty', 'is chosen by who makes the block'],
  ['blockhash', 'is chosen by who makes the block'],
  ['call', 'succeeds where there is no code'],
  ['send', 'gives too little gas and succeeds where there is no code'],
  ['ecrecover', 'takes malleable signatures and answers zero to wrong ones'],
])
/** Modular exponentiation and the operations on BN254: precompiles are there without code. */
const PRECOMPILES = ['5', '6', '7', '8']
/** Views whose assembly writes behind the free pointer and which allocate nothing afterwards. */
const FREE_MEMORY = ['src/Groth16Verifier.sol']

describe('the contracts', () => {
  it('never do what they must not', () => {
    expect(violations(ownSources(), sourceOf)).toEqual([])
  })

  it('would be found out', () => {
    const source = `pragma solidity ^0.8.30;
contract Bad {
  function f(address a, bytes32 h) external returns (bool ok) {
    (ok,) = a.delegatecall("");
    (ok,) = a.call("");
    (ok,) = a.staticcall("");
    require(tx.origin == a);
    selfdestruct(payable(a));
    uint256 luck = block.prevrandao ^ uint256(blockhash(1));
    address s = ecrecover(h, 27, h, h);
    assembly { ok := staticcall(gas(), a, 0, 0, 0, 0) luck := origin() ok := call(gas(), 8, 0, 0, 0, 0, 0) }
    assembly ("memory-safe") { ok := staticcall(gas(), 8, 0, 0, 0, 0) }
  }
}`
    const found = violations(['Bad.sol'], () => source).map((text) => text.replace(/:.*/s, ''))
    expect(found.sort()).toEqual(
      [
        ...['delegatecall', 'call', 'staticcall', 'tx.origin', 'selfdestruct', 'block.prevrandao', 'blockhash'],
        ...['ecrecover', 'staticcall', 'origin', 'call', 'assembly'],
      ].sort(),
    )
  })
})

function violations(paths: readonly string[], read: ReadSource): string[] {
  const trees = parse(paths, read)
  return paths.flatMap((path) => walk(trees[path]!).flatMap((node) => violationOf(node, path)))
}

function violationOf(node: Node, path: string): string[] {
  const name = nameOf(node)
  const reason = name === undefined ? undefined : FORBIDDEN.get(name)
  if (reason) return [`${name}: ${path} at byte ${node.src}: ${reason}`]
  if (name === 'staticcall' && !isToPrecompile(node))
    return [`staticcall: ${path} at byte ${node.src}: to what may be no code`]
  if (node.nodeType === 'InlineAssembly' && !isMemorySafe(node) && !FREE_MEMORY.includes(path)) {
    return [`assembly: ${path} at byte ${node.src}: is not marked memory-safe`]
  }
  return []
}

function nameOf(node: Node): string | undefined {
  if (node.nodeType === 'YulFunctionCall') return (node.functionName as { name: string }).name
  if (node.nodeType === 'Identifier') return node.name as string
  if (node.nodeType !== 'MemberAccess') return undefined
  const { memberName, expression } = node as unknown as { memberName: string; expression: Node }
  const whole = `${String(expression.name)}.${memberName}`
  return FORBIDDEN.has(whole) ? whole : memberName
}

function isToPrecompile(node: Node): boolean {
  const target = (node.arguments as Node[] | undefined)?.[1]
  return target?.nodeType === 'YulLiteral' && PRECOMPILES.includes(target.value as string)
}

function isMemorySafe(node: Node): boolean {
  return ((node.flags as string[] | undefined) ?? []).includes('memory-safe')
}

function walk(node: Node): Node[] {
  return [node, ...children(node).flatMap(walk)]
}
