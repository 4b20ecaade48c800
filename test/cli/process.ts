// Runs the command line as a process of its own and collects what it says. A process that does not end by itself fails the test.

import { spawn } from 'node:child_process'
import { ROOT } from '../e2e/world.ts'

export interface Run {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

const TIMEOUT_MS = 240_000

export function attestream(...args: string[]): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', 'tsx', 'cli/main.ts', ...args], { cwd: ROOT })
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`attestream ${args.join(' ')} did not end by itself: ${stdout}${stderr}`))
    }, TIMEOUT_MS)
    child.once('error', reject)
    child.once('close', (code) => {
      clearTimeout(timer)
      resolve({ code, stdout, stderr })
    })
  })
}
