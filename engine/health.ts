// How the engine is: whether it works, how much there is to do, and what holds it up.

import type { Chain } from './chain/chain.ts'
import type { PendingTransaction } from './chain/transactions.ts'
import type { Store } from './store/index.ts'
import type { Health } from './surface.ts'

/** Without a store the engine is closed. */
export async function readHealth(
  chain: Pick<Chain, 'chainId' | 'getBlockNumber' | 'pendingTransactions'>,
  store: Store | undefined,
): Promise<Health> {
  const { chainId } = chain
  if (!store) {
    const counts = { pendingFrames: 0, openTasks: 0, failedTasks: 0 }
    return { ok: false, chainId, blockNumber: null, ...counts, waiting: [], transactions: [] }
  }
  const { open: openTasks, failed: failedTasks } = store.taskCounts()
  const counts = { pendingFrames: store.pendingCount(), openTasks, failedTasks }
  const held = { waiting: waitingOf(store), transactions: chain.pendingTransactions().map(publicTransaction) }
  const blockNumber = await chain.getBlockNumber().catch(() => null)
  return { ok: blockNumber !== null, chainId, blockNumber, ...counts, ...held }
}

/** What open tasks wait for, the chain or somebody to act, in the words of the oldest that waits for it. */
function waitingOf(store: Store): Health['waiting'] {
  const byCode = new Map<string, Health['waiting'][number]>()
  for (const { failure } of store.openTasks()) {
    if (!failure || !/^(CHAIN|PROJECT)_/.test(failure.code)) continue
    const tasks = 1 + (byCode.get(failure.code)?.tasks ?? 0)
    byCode.set(failure.code, { ...failure, ...byCode.get(failure.code), tasks })
  }
  return [...byCode.values()]
}

function publicTransaction({ trouble, ...transaction }: PendingTransaction): Health['transactions'][number] {
  return { ...transaction, trouble: trouble && { code: trouble.code, message: trouble.message } }
}
