// `receipt verify` as somebody runs it who trusts nobody: a file, a node, a place where objects are read; told by exit code and words.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { energyProject, metersWithOneFrame } from '../e2e/settled-job.ts'
import { openWorld, tasksIn, type TestWorld } from '../e2e/world.ts'
import { attestream } from './process.ts'

describe('attestream receipt verify', () => {
  let world: TestWorld
  let directory: string
  let receipt: any

  beforeAll(async () => {
    world = await openWorld()
    directory = await mkdtemp(join(tmpdir(), 'attestream-receipts-'))
    const project = await energyProject(world, 2)
    await metersWithOneFrame(world, project, 2)
    const [task] = await tasksIn(world, project.projectId, 'settled', 1)
    receipt = await world.api.receipt(task!.taskId)
  })
  afterAll(async () => {
    await rm(directory, { recursive: true, force: true })
    await world?.close()
  })

  async function verify(json: unknown, sources: { rpc?: string; da?: string } = {}) {
    const file = join(directory, 'receipt.json')
    await writeFile(file, typeof json === 'string' ? json : JSON.stringify(json, null, 2))
    return attestream(
      'receipt',
      'verify',
      file,
      '--rpc',
      sources.rpc ?? world.rpcUrl,
      '--da',
      sources.da ?? world.apiUrl,
    )
  }

  it('accepts a settled receipt, says what it checked and warns of the development setup', async () => {
    const { code, stdout, stderr } = await verify(receipt)
    expect(stderr).toBe('')
    expect(code).toBe(0)
    expect(stdout.match(/^ {2}ok {2}/gm)).toHaveLength(7)
    expect(stdout).toContain('development setup')
    expect(stdout).toContain('The receipt is valid and settled.')
  })

  it("reads the objects from the engine's da directory as well", async () => {
    expect(await verify(receipt, { da: world.daDirectory })).toMatchObject({ code: 0 })
  })

  const alteredUnits = () => ({
    ...receipt,
    journal: { ...receipt.journal, lanes: [`${BigInt(receipt.journal.lanes[0]) + 1n}`] },
  })
  it.each<[string, () => unknown, { rpc?: string; da?: string }, string]>([
    ['one unit more', alteredUnits, {}, 'SEAL_INVALID'],
    ['another payee', () => ({ ...receipt, payee: receipt.registry }), {}, 'RECEIPT_INVALID'],
    ['the mark of the development setup taken off', () => ({ ...receipt, devSetup: false }), {}, 'RECEIPT_INVALID'],
    ['a file that is not JSON', () => 'receipt', {}, 'RECEIPT_INVALID'],
    ['a DA that has nothing', () => receipt, { da: tmpdir() }, 'DA_OBJECT_UNKNOWN'],
    ['a DA that does not answer', () => receipt, { da: 'http://127.0.0.1:9' }, 'DA_OBJECT_UNKNOWN'],
    ['a node that does not answer', () => receipt, { rpc: 'http://127.0.0.1:9' }, 'CHAIN_UNREACHABLE'],
  ])('refuses %s with code and exit status 2', async (_, altered, sources, errorCode) => {
    const { code, stdout, stderr } = await verify(altered(), sources)
    expect(stderr).toMatch(new RegExp(`^${errorCode}: `))
    expect(stdout).not.toContain('valid')
    expect(code).toBe(2)
  })

  it('names a file that it cannot read', async () => {
    const run = await attestream('receipt', 'verify', 'no-such.json', '--rpc', world.rpcUrl, '--da', world.apiUrl)
    expect(run.code).toBe(2)
    expect(run.stderr).toMatch(/^RECEIPT_INVALID: no-such\.json cannot be read/)
  })

  it('asks for what it needs', async () => {
    const run = await attestream('receipt', 'verify', 'receipt.json')
    expect(run.code).toBe(1)
    expect(run.stderr).toContain("required option '--rpc <url>' not specified")
  })
})
