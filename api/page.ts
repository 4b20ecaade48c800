// Lists: `limit` and `offset` in, `{ items, nextOffset }` out; nextOffset is null when the list is surely at its end.

import { Type, type TSchema } from 'typebox'
import type { Page } from '../engine/index.ts'

const DEFAULT_LIMIT = 50

/** Schema of a list of `items`. */
export function pageOf<Item extends TSchema>(item: Item) {
  return Type.Object({ items: Type.Array(item), nextOffset: Type.Union([Type.Integer(), Type.Null()]) })
}

/** The page that a query asks for, with the defaults filled in. */
export function readPage(query: { limit?: number; offset?: number }): Required<Page> {
  return { limit: query.limit ?? DEFAULT_LIMIT, offset: query.offset ?? 0 }
}

export function pageReply<Item>(items: Item[], { limit, offset }: Required<Page>) {
  return { items, nextOffset: items.length < limit ? null : offset + items.length }
}
