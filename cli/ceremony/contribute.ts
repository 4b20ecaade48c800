// `ceremony contribute`: one person's secret goes into the key and is forgotten. It is never an argument, never printed, never written.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { addContribution, type ContributionMade } from '../../circuits/setup/ceremony.ts'
import { replaceFile } from '../../circuits/setup/ceremony-transcript.ts'
import type { OnStep } from '../../circuits/setup/snarkjs.ts'
import { AttestreamError } from '../../engine/index.ts'
import { readInput } from '../applet/command.ts'
import type { Progress } from '../progress.ts'
import { printJson } from '../table.ts'
import { ceremonyStep, withProgress } from './command.ts'

interface ContributeFlags {
  readonly name: string
  readonly entropyFile?: string
  readonly json: boolean
}

const MAX_ENTROPY_BYTES = 2 ** 20

export function contributeCommand(): Command {
  return ceremonyStep(
    'contribute',
    "Add your randomness to the newest key; prints the contribution's hash, which you publish",
    'contribute ceremony --name "Ada Example"',
  )
    .argument('<dir>', "the ceremony's directory")
    .requiredOption('--name <name>', 'stands in the key for ever; no two contributors have the same')
    .option('--entropy-file <file>', "mixed with the system's randomness, which is always used; - for standard input")
    .action(withProgress(run))
}

async function run(progress: Progress, onStep: OnStep, dir: string, flags: ContributeFlags): Promise<void> {
  const entropy = await readEntropy(flags.entropyFile)
  progress.step('Contribute')
  const made = await addContribution(dir, flags.name, entropy, onStep)
  progress.end()
  await report(dir, made, flags.json)
}

/** Prints what was made and leaves the attestation beside the key. */
export async function report(
  dir: string,
  made: ContributionMade,
  json: boolean,
  next = 'pass the directory on',
): Promise<void> {
  const file = join(dir, `${String(made.number).padStart(4, '0')}.txt`)
  replaceFile(file, `${made.attestation}\n`)
  if (json) return printJson({ ...made, file })
  console.log(made.attestation)
  console.log(`\nPublish these lines, or at least the hash, where others find them (${file}); then ${next}.`)
}

/** At most a mebibyte; nothing without a file. */
async function readEntropy(file: string | undefined): Promise<Uint8Array> {
  if (file === undefined) return new Uint8Array()
  if (file === '-') return readStandardInput()
  if (!existsSync(file)) throw new AttestreamError('INPUT_INVALID', `There is no entropy file ${file}.`)
  return (await readInput(file, 'The entropy file')).subarray(0, MAX_ENTROPY_BYTES)
}

async function readStandardInput(): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of process.stdin as AsyncIterable<Uint8Array>) {
    chunks.push(chunk)
    size += chunk.length
    if (size >= MAX_ENTROPY_BYTES) break
  }
  return Buffer.concat(chunks)
}
