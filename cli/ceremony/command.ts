// What the ceremony commands share: exit status 0 if all is well, 1 if what was examined is refused, 2 if the command was used wrongly or
// a file could not be had; and finding the powers of tau.

import type { Command } from 'commander'
import { readTranscript } from '../../circuits/setup/ceremony-transcript.ts'
import { cachedPowersOfTau, obtainPowersOfTau, type PowersOfTauFile } from '../../circuits/setup/powers-of-tau-file.ts'
import { KNOWN_POWERS_OF_TAU } from '../../circuits/setup/powers-of-tau.ts'
import type { OnStep } from '../../circuits/setup/snarkjs.ts'
import { AttestreamError, isAttestreamError } from '../../engine/index.ts'
import { examineCommand } from '../applet/command.ts'
import { createProgress, type Progress } from '../progress.ts'

export interface PowersOfTauFlags {
  readonly ptau?: string
  readonly ptauHash?: string
  readonly cache: string
}

export function ceremonyStep(name: string, description: string, example: string): Command {
  return examineCommand(name, description, `attestream ceremony ${example}`).option('--json', 'print JSON', false)
}

/** A command that needs the powers of tau. */
export function withPowersOfTau(command: Command): Command {
  return command
    .option('--ptau <place>', 'powers of tau: path, file URL or http(s) URL; default: the cache')
    .option('--ptau-hash <blake2b>', 'BLAKE2b-512 that they must have, if they are not of the known ceremony')
    .option('--cache <dir>', 'keeps downloaded powers of tau', '.attestream/powers-of-tau')
}

/** The powers of tau that a ceremony's transcript names, if they are known or named by whoever runs the command. */
export async function powersOfTauOf(dir: string, flags: PowersOfTauFlags, onStep: OnStep): Promise<PowersOfTauFile> {
  const { ptau, ptauHash, cache } = flags
  const { blake2b512, power } = readTranscript(dir).powersOfTau
  if ((ptauHash?.toLowerCase() ?? KNOWN_POWERS_OF_TAU.get(power)) !== blake2b512) {
    const why = ptauHash
      ? 'others than --ptau-hash names'
      : 'none of the known ceremony; if you trust them, name them with --ptau-hash'
    const message = `The ceremony in ${dir} uses powers of tau with the BLAKE2b-512 ${blake2b512}: ${why}.`
    throw new AttestreamError('POWERS_OF_TAU_MISMATCH', message)
  }
  if (ptau !== undefined) return obtainPowersOfTau(ptau, { cacheDir: cache, expectedHash: blake2b512, onStep })
  const cached = await cachedPowersOfTau(blake2b512, cache)
  if (cached) return cached
  const message = `The powers of tau with the BLAKE2b-512 ${blake2b512} are not in ${cache}; name their path or URL with --ptau.`
  throw new AttestreamError('POWERS_OF_TAU_UNAVAILABLE', message)
}

/** Runs a command's work with its progress on standard error and sets the exit status. */
export function withProgress<A extends unknown[]>(
  work: (progress: Progress, onStep: OnStep, ...args: A) => Promise<void>,
): (...args: A) => Promise<void> {
  return async (...args) => {
    const progress = createProgress()
    try {
      await work(progress, (text, fraction) => progress.update(text, fraction), ...args)
    } catch (error) {
      if (!isAttestreamError(error)) throw error
      console.error(`${error.code}: ${error.message}`)
      process.exitCode = /^(CEREMONY_|PROVING_KEY_|ZKEY_|POWERS_OF_TAU_MISMATCH)/.test(error.code) ? 1 : 2
    }
  }
}
