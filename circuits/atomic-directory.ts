// Directories that exist complete or not at all: filled under another name, then renamed. A killed process leaves only a
// work directory, which a later one removes; two processes may make the same directory at the same time.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'

const WORK_PREFIX = '.building-'
/** A work directory without a change for so long belongs to a process that was killed. */
const ABANDONED_MS = 24 * 60 * 60 * 1000

/**
 * Lets `fill` write into a work directory beside `dir` and gives it the name `dir`, unless another was faster; then its
 * result is dropped. If `fill` throws, nothing is left.
 */
export async function createDirectory(dir: string, fill: (work: string) => Promise<void>): Promise<void> {
  const parent = dirname(dir)
  mkdirSync(parent, { recursive: true })
  removeAbandoned(parent)
  const work = mkdtempSync(join(parent, WORK_PREFIX))
  try {
    await fill(work)
    rename(work, dir)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

function rename(work: string, dir: string): void {
  try {
    renameSync(work, dir)
  } catch (error) {
    if (!existsSync(dir)) throw error
  }
}

function removeAbandoned(parent: string): void {
  for (const name of readdirSync(parent).filter((entry) => entry.startsWith(WORK_PREFIX))) {
    const path = join(parent, name)
    const stat = statSync(path, { throwIfNoEntry: false })
    if (stat && Date.now() - stat.mtimeMs > ABANDONED_MS) rmSync(path, { recursive: true, force: true })
  }
}
