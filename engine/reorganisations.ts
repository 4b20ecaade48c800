// Reorganisations: what a task was told that the chain holds may vanish from it. Until that is not expected any more, the blocks of its
// anchor and settlement are watched. A settlement that is gone is sent again, its receipt holds; with an anchor its time is gone, and so
// everything that was computed and proven from it.

import type { Chain } from './chain/chain.ts'
import { anchorRequest, recordSettlement } from './chain-steps.ts'
import { findOpenAnchor, findSettlement } from './settle.ts'
import type { Inclusion, Store, Task } from './store/index.ts'

export interface ReorganisationContext {
  readonly store: Store
  readonly chain: Chain
  /** Called with a task that was set back. */
  readonly onChange: (task: Task) => void
}

/** Looks in a row that find the chain lower than it was, before that is believed: a node may be behind. */
const LOOKS_UNTIL_LOWER = 3

/** Returns what looks once at the chain, and how many tasks it set back. */
export function createReorganisationWatch(context: ReorganisationContext): () => Promise<number> {
  const { store, chain } = context
  let lowerLooks = 0

  /** The watched ones whose blocks are not those of the chain; undefined while that is not certain. */
  const findLost = async (): Promise<ReturnType<Store['inclusions']> | undefined> => {
    const lost: ReturnType<Store['inclusions']> = []
    for (const inclusion of store.inclusions()) {
      const hash = await chain.getBlockHash(inclusion.blockNumber)
      if (hash === undefined && ++lowerLooks < LOOKS_UNTIL_LOWER) return undefined
      if (hash === inclusion.blockHash) break // what is below it is as it was
      lost.push(inclusion)
    }
    lowerLooks = 0
    return lost
  }

  return async () => {
    if (store.inclusions().length === 0) return 0
    const lost = await findLost()
    if (!lost) return 0
    let setBack = 0
    if (lost.length > 0) await chain.recheckTransactions() // so that nobody sends what is open again
    for (const inclusion of inOrder(lost)) if (await restore(context, inclusion)) setBack++
    store.forgetInclusions((await chain.getBlockNumber()) - BigInt(chain.finalityBlocks))
    return setBack
  }
}

/** Anchors first: with one, the settlement behind it is gone, too. */
function inOrder<T extends Inclusion>(lost: readonly T[]): T[] {
  const oldestFirst = lost.toReversed()
  return [
    ...oldestFirst.filter(({ kind }) => kind === 'anchor'),
    ...oldestFirst.filter(({ kind }) => kind === 'settle'),
  ]
}

/** Notes where on chain it is now; true if it is not there, or not as it was, and the task was set back. */
async function restore(
  context: ReorganisationContext,
  { taskId, kind }: Inclusion & Pick<Task, 'taskId'>,
): Promise<boolean> {
  const { store } = context
  const task = store.task(taskId)
  if (!task || !task[kind === 'anchor' ? 'anchorTxHash' : 'settleTxHash']) return false // undone meanwhile
  return kind === 'anchor' ? restoreAnchor(context, task) : restoreSettlement(context, task)
}

async function restoreAnchor({ store, chain, onChange }: ReorganisationContext, task: Task): Promise<boolean> {
  const found = await findOpenAnchor(chain, anchorRequest(task), task.batchNumber!)
  const { anchorTime, anchoredConfigHash } = task.work
  if (found?.anchor.anchorTime === anchorTime && found?.anchor.configHash === anchoredConfigHash) {
    const { txHash, blockNumber, blockHash } = found!
    store.putInclusion(task.ordinal, { kind: 'anchor', txHash, blockNumber, blockHash })
    return false
  }
  onChange(store.setBackTask(task))
  return true
}

async function restoreSettlement({ store, chain, onChange }: ReorganisationContext, task: Task): Promise<boolean> {
  const found = await findSettlement(chain, store.receipt(task.taskId)!)
  if (found) {
    recordSettlement({ store }, task, found)
    return false
  }
  onChange(store.unsettleTask(task))
  return true
}
