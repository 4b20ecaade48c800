// Embedded data availability: a directory of content-addressed objects. The pointer of an object is the SHA-256 of its
// bytes; every read is checked against it. A pruned object leaves a tombstone, so that "pruned" and "unknown" differ.

import { mkdir, open, readFile, readdir, rename, stat, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, hexToBytes, type Hex } from '../core/codec.ts'
import { AttestreamError } from '../core/errors.ts'

/** Content-addressed store of batch objects. */
export interface DataAvailability {
  /** Stores bytes durably and returns their pointer. The same bytes again change nothing, but mend a damaged object. */
  put(bytes: Uint8Array): Promise<Hex>
  /** The bytes behind a pointer; throws DA_OBJECT_UNKNOWN, DA_OBJECT_PRUNED or DA_OBJECT_CORRUPT. */
  get(pointer: Hex): Promise<Uint8Array>
  /** Deletes objects stored before `beforeMs`, except those in `keep`; returns the pointers deleted. */
  prune(beforeMs: number, keep: ReadonlySet<Hex>): Promise<Hex[]>
}

const OBJECT = '.batch'
const TOMBSTONE = '.pruned'
const DRAFT = '.tmp'

/** The pointer of an object: its SHA-256. */
export function daPointer(bytes: Uint8Array): Hex {
  return bytesToHex(sha256(bytes))
}

/** Opens the directory, which one process uses at a time; what a killed one left half-written is deleted. */
export async function createEmbeddedDa(directory: string): Promise<DataAvailability> {
  await mkdir(directory, { recursive: true })
  for (const name of await readdir(directory)) if (name.endsWith(DRAFT)) await unlink(join(directory, name))
  let drafts = 0
  const file = (pointer: Hex, suffix: string): string => {
    hexToBytes(pointer, 32)
    return join(directory, `${pointer.toLowerCase()}${suffix}`)
  }

  return {
    async put(bytes) {
      const pointer = daPointer(bytes)
      const path = file(pointer, OBJECT)
      const present = await readIfPresent(path)
      if (present && daPointer(present) === pointer) return pointer
      const draft = `${path}.${drafts++}${DRAFT}`
      await writeDurably(draft, bytes)
      await rename(draft, path)
      await syncDirectory(directory)
      return pointer
    },

    async get(pointer) {
      const bytes = await readIfPresent(file(pointer, OBJECT))
      if (!bytes) throw await absent(pointer, file(pointer, TOMBSTONE))
      if (daPointer(bytes) !== pointer.toLowerCase()) {
        throw new AttestreamError(
          'DA_OBJECT_CORRUPT',
          `The object behind ${pointer} has other bytes; restore it from a copy.`,
        )
      }
      return new Uint8Array(bytes)
    },

    async prune(beforeMs, keep) {
      const pruned: Hex[] = []
      for (const name of await readdir(directory)) {
        const pointer = name.slice(0, -OBJECT.length) as Hex
        if (!name.endsWith(OBJECT) || keep.has(pointer)) continue
        if ((await stat(join(directory, name))).mtimeMs >= beforeMs) continue
        await writeFile(file(pointer, TOMBSTONE), '')
        await unlink(join(directory, name))
        pruned.push(pointer)
      }
      return pruned
    },
  }
}

async function absent(pointer: Hex, tombstone: string): Promise<AttestreamError> {
  return (await exists(tombstone))
    ? new AttestreamError('DA_OBJECT_PRUNED', `The object ${pointer} was deleted after its retention period.`)
    : new AttestreamError(
        'DA_OBJECT_UNKNOWN',
        `No object has the pointer ${pointer}; check it against the anchor on chain.`,
      )
}

async function readIfPresent(path: string): Promise<Uint8Array | undefined> {
  return readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(path, 'w')
  try {
    await handle.writeFile(bytes)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  await handle.sync().finally(() => handle.close())
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
