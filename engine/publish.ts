// Publish: put a closed batch into data availability. Its pointer was fixed when the batch was closed.

import { encodeBatchData, type BatchData } from './core/batch.ts'
import type { AppletLayouts } from './core/batch.ts'
import { AttestreamError } from './core/errors.ts'
import type { Hex } from './core/codec.ts'
import type { DataAvailability } from './da/embedded.ts'

/** Stores the batch's object; throws DA_OBJECT_CORRUPT if its pointer is not the one that the task committed to. */
export async function publishBatch(
  da: DataAvailability,
  layouts: AppletLayouts,
  data: BatchData,
  daPointer: Hex,
): Promise<void> {
  const pointer = await da.put(encodeBatchData(layouts, data))
  if (pointer !== daPointer) {
    throw new AttestreamError(
      'DA_OBJECT_CORRUPT',
      `The batch now hashes to ${pointer}; its task committed to ${daPointer}.`,
    )
  }
}
