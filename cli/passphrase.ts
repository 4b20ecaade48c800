// Asks for a passphrase on the terminal and shows nothing of it.

import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { AttestreamError } from '../engine/index.ts'

/** Throws INPUT_INVALID without a terminal, or if the asking is interrupted. */
export function askPassphrase(question: string): Promise<string> {
  if (!process.stdin.isTTY) {
    const message = 'There is no terminal to ask for the passphrase; set ATTESTREAM_KEYSTORE_PASSPHRASE.'
    return Promise.reject(new AttestreamError('INPUT_INVALID', message))
  }
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const terminal = createInterface({ input: process.stdin, output: nowhere, terminal: true })
  process.stderr.write(question)
  return new Promise((resolve, reject) => {
    terminal.once('close', () => {
      process.stderr.write('\n')
      reject(new AttestreamError('INPUT_INVALID', 'No passphrase was given.'))
    })
    terminal.question('', (answer) => {
      resolve(answer)
      terminal.close()
    })
  })
}
