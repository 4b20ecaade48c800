// What the applet commands share: exit status 0 if all is well, 1 if what was examined is wrong, 2 if the command was used wrongly,
// 3 if nothing is wrong but not all could be examined.

import { readFile } from 'node:fs/promises'
import { Command, InvalidArgumentError } from 'commander'
import { AttestreamError, isAttestreamError } from '../../engine/index.ts'

const WRONG = 1
const MISUSED = 2
const INCOMPLETE = 3

/** Whether what was examined is right. */
export type Outcome = boolean | 'incomplete'

/** A command whose wrong use ends with 2, and which shows `example` in its help. */
export function examineCommand(name: string, description: string, example: string): Command {
  return strict(new Command(name).description(description)).addHelpText('after', `\nExample:\n  ${example}`)
}

export function strict(command: Command): Command {
  return command.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : MISUSED))
}

/** Runs a command's work and sets the exit status. A refused applet or circuit is wrong, too. */
export function examine<A extends unknown[]>(work: (...args: A) => Promise<Outcome>): (...args: A) => Promise<void> {
  return async (...args) => {
    try {
      const outcome = await work(...args)
      if (outcome !== true) process.exitCode = outcome === false ? WRONG : INCOMPLETE
    } catch (error) {
      if (!isAttestreamError(error)) throw error
      console.error(`${error.code}: ${error.message}`)
      process.exitCode = /^(APPLET|WASM|CIRCUIT)_/.test(error.code) ? WRONG : MISUSED
    }
  }
}

/** Bytes of a file named on the command line; throws INPUT_INVALID. */
export async function readInput(path: string, what: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await readFile(path))
  } catch (cause) {
    throw new AttestreamError('INPUT_INVALID', `${what} ${path} cannot be read: ${reasonOf(cause)}.`, {}, { cause })
  }
}

/** JSON of a file; throws INPUT_INVALID. */
export async function readJson(path: string, what: string): Promise<unknown> {
  const text = new TextDecoder().decode(await readInput(path, what))
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new AttestreamError('INPUT_INVALID', `${what} ${path} is not JSON: ${reasonOf(cause)}.`, {}, { cause })
  }
}

export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message
}

/** Parser of an option that takes an integer. */
export function integer(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= least && value <= most) return value
    throw new InvalidArgumentError(`Expected an integer from ${least} to ${most}.`)
  }
}
