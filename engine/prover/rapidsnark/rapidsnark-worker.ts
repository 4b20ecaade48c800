// One thread of the external prover: each proof is a run of the operator's program on files in a directory of its own.

import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { OnPhase } from '../progress.ts'
import type { KeptByPath } from '../kept-by-path.ts'
import { proveJob, type WorkerJob } from '../worker-job.ts'
import { parseProof } from './proof-file.ts'

interface RapidsnarkJob extends WorkerJob {
  readonly binary: string
}

/** Longest that the program's words stand in an error. */
const MESSAGE_CHARS = 300
/**
 * Runs a program whose files are in the directory "$1". When its input ends, for its thread has ended, it kills the program and takes the
 * directory away.
 */
const SUPERVISOR = `
exec 3<&0
work=$1; shift
"$@" </dev/null 3<&- & program=$!
(while read -r _ <&3; do :; done; kill -9 $program; rm -rf "$work") >/dev/null 2>&1 & watcher=$!
wait $program; status=$?
kill $watcher
exit $status
`
const keys: KeptByPath<string> = { get: async (path) => path, forget: () => {} }

export default function prove(job: RapidsnarkJob) {
  return proveJob('rapidsnark', job, keys, (zkey, wtns, onPhase) => runProver(job.binary, zkey, wtns, onPhase))
}

/** One run of the program on copies of these bytes. */
export async function runProver(binary: string, zkey: string, wtns: Uint8Array, onPhase: OnPhase) {
  const work = await mkdtemp(join(tmpdir(), 'attestream-rapidsnark-'))
  const [witness, proof, signals] = ['witness.wtns', 'proof.json', 'public.json'].map((name) => join(work, name))
  try {
    await writeFile(witness!, wtns)
    onPhase('quotient')
    await supervise(work, [binary, zkey, witness!, proof!, signals!])
    return parseProof(await readFile(proof!, 'utf8'), await readFile(signals!, 'utf8'))
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

function supervise(work: string, command: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile('/bin/sh', ['-c', SUPERVISOR, 'sh', work, ...command], (error, _stdout, stderr) => {
      if (!error) return resolve()
      const how = error.signal ? `was ended by ${error.signal}` : `failed with exit code ${error.code}`
      reject(new Error(`${command[0]} ${how}. ${stderr.trim().slice(-MESSAGE_CHARS)}`.trim()))
    })
  })
}
