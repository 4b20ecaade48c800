// The command line as a process: what it prints, how it ends, and that it leaves nothing running. The whole job of the demo is in test/e2e.

import { spawn, type ChildProcess } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { ROOT, anvilChildren, eventually } from '../e2e/world.ts'
import { attestream } from './process.ts'

describe('attestream', () => {
  it('explains itself and its commands', async () => {
    const { code, stdout } = await attestream('--help')
    expect(code).toBe(0)
    for (const command of ['applet', 'demo', 'receipt']) expect(stdout).toContain(`  ${command}`)
  })

  it('refuses a command that it does not have', async () => {
    const { code, stderr } = await attestream('dmeo')
    expect(code).toBe(1)
    expect(stderr).toContain("unknown command 'dmeo'")
  })
})

describe('attestream demo', () => {
  it('explains its options with an example', async () => {
    const { code, stdout } = await attestream('demo', '--help')
    expect(code).toBe(0)
    for (const option of ['--applet', '--data', '--devices', '--frames', '--keep']) expect(stdout).toContain(option)
    expect(stdout).toContain('npm run demo -- --applet movement')
  })

  it.each<[string, string[], RegExp]>([
    ['an applet that does not exist', ['--applet', 'toaster'], /Allowed choices are energy-meter, movement, uptime/],
    ['no device', ['--devices', '0'], /Expected an integer from 1 to 64/],
    ['too many devices', ['--devices', '65'], /Expected an integer from 1 to 64/],
    ['devices that are no number', ['--devices', 'four'], /Expected an integer from 1 to 64/],
    ['half a frame', ['--frames', '0.5'], /Expected an integer from 1 to 100/],
    ['an unknown option', ['--fast'], /unknown option '--fast'/],
  ])('refuses %s before it starts anything', async (_, options, message) => {
    const { code, stdout, stderr } = await attestream('demo', ...options)
    expect(code).toBe(1)
    expect(stderr).toMatch(message)
    expect(stdout).toBe('')
  })

  it.each<[string, string[], string]>([
    ['a recording that is not there', ['--data', 'no-such-file.csv'], 'DATASET_INVALID'],
    ['a file that is no recording', ['--data', 'package.json'], 'DATASET_UNKNOWN'],
  ])('refuses %s with a code', async (_, options, errorCode) => {
    const { code, stderr } = await attestream('demo', ...options)
    expect(code).toBe(2)
    expect(stderr).toMatch(new RegExp(`^${errorCode}: `, 'm'))
  })

  it.each(['SIGINT', 'SIGTERM'] as const)('ends with its chain when it gets %s in the middle', async (signal) => {
    const child = spawn(process.execPath, ['--import', 'tsx', 'cli/main.ts', 'demo'], { cwd: ROOT, stdio: 'ignore' })
    const ended = exitOf(child)
    let chains: number[] = []
    await eventually('the chain of the demo', async () => {
      chains = await anvilChildren(child.pid!)
      return chains.length === 1 || process.platform !== 'linux'
    })
    child.kill(signal)
    expect(await ended).toBe(signal === 'SIGINT' ? 130 : 143)
    await eventually('the end of the chain', async () => chains.every((pid) => !isAlive(pid)))
  })
})

function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.once('exit', resolve))
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
