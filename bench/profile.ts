// Where the main thread's time goes while something real runs: V8's sampling profiler, each sample counted for the innermost
// function on the stack that a named part of the work owns.

import { Session, type Profiler } from 'node:inspector/promises'

export interface ProfiledPart {
  readonly name: string
  /** End of the path of the file whose functions are the part's, and their names; all functions of the file if absent. */
  readonly file: string
  readonly functions?: readonly string[]
}

export interface Share {
  readonly name: string
  readonly ms: number
}

const SAMPLING_US = 500

/** Runs `work` and tells what the thread did meanwhile: every part, then 'garbage collection', 'waiting' and 'rest'. */
export async function profile<T>(parts: readonly ProfiledPart[], work: () => Promise<T>): Promise<[T, Share[]]> {
  const session = new Session()
  session.connect()
  try {
    await session.post('Profiler.enable')
    await session.post('Profiler.setSamplingInterval', { interval: SAMPLING_US })
    await session.post('Profiler.start')
    const result = await work()
    const { profile: recorded } = await session.post('Profiler.stop')
    return [result, shares(recorded, parts)]
  } finally {
    session.disconnect()
  }
}

function shares(recorded: Profiler.Profile, parts: readonly ProfiledPart[]): Share[] {
  const names = partOfNode(recorded.nodes, parts)
  const ms = new Map<string, number>(parts.map(({ name }) => [name, 0]))
  recorded.samples!.forEach((node, i) => {
    const name = names.get(node)!
    ms.set(name, (ms.get(name) ?? 0) + recorded.timeDeltas![i]! / 1000)
  })
  return [...ms].map(([name, total]) => ({ name, ms: total }))
}

/** Each node takes the part of its caller unless its own function belongs to one. */
function partOfNode(nodes: readonly Profiler.ProfileNode[], parts: readonly ProfiledPart[]): Map<number, string> {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const names = new Map<number, string>()
  const visit = (node: Profiler.ProfileNode, inherited: string): void => {
    const name = ownPart(node.callFrame, parts) ?? inherited
    names.set(node.id, name)
    for (const child of node.children ?? []) visit(byId.get(child)!, name)
  }
  visit(nodes[0]!, 'rest')
  return names
}

function ownPart({ functionName, url }: { functionName: string; url: string }, parts: readonly ProfiledPart[]) {
  if (functionName === '(garbage collector)') return 'garbage collection'
  if (functionName === '(idle)') return 'waiting'
  return parts.find(({ file, functions }) => url.endsWith(file) && (functions?.includes(functionName) ?? true))?.name
}
