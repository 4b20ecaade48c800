// docs/identity.md: its commands run in the order in which they stand, each by whom the page says, against a real chain; an engine
// beside it resolves the device's DID after each step, and pays for one more registration.

import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { createServer, type Server } from '../../api/server.ts'
import { buildApplet } from '../../applets/build.ts'
import { deviceCommand } from '../../cli/device/index.ts'
import { appletId } from '../../engine/core/applet.ts'
import { createEngine, type Engine } from '../../engine/index.ts'
import { openStore } from '../../engine/store/index.ts'
import { createStage, type Stage } from '../contracts/stage.ts'
import { PROJECT } from '../engine/scene.ts'

const [ADMITTER, OWNER, BUYER, SPONSOR] = [2, 3, 4, 5]
const ADMIN_KEY = 'admin-key-of-the-tests'
const page = readFileSync('docs/identity.md', 'utf8')
const lines = [...page.matchAll(/```sh\n([\s\S]*?)```/g)]
  .flatMap((block) => block[1]!.split('\n'))
  .map((line) => line.replace(/\s+#.*$/, ''))
  .filter((line) => line !== '' && !line.startsWith('#'))

let stage: Stage
let engine: Engine
let server: Server
let url: string
const directory = mkdtempSync(join(tmpdir(), 'attestream-identity-'))

beforeAll(async () => {
  stage = await createStage()
  const wasm = await buildApplet('applets/uptime.ts')
  const store = openStore(join(directory, 'engine'))
  store.putApplet(appletId(wasm), wasm, 0)
  store.putProject({ ...PROJECT, projectId: stage.projectId, appletId: appletId(wasm) })
  store.close()
  const { rpcUrl, chainId } = stage.anvil
  engine = await createEngine({
    dataDir: join(directory, 'engine'),
    cacheDir: join(directory, 'circuits'),
    chain: { rpcUrl, chainId, addresses: stage.addresses, privateKey: stage.keys[0]! },
    sponsorRegistrations: true,
    proverThreads: 1,
  })
  server = createServer({ engine, adminKey: ADMIN_KEY })
  url = await server.listen()
})

afterAll(async () => {
  await server?.close()
  await engine?.close()
  await stage?.close()
  rmSync(directory, { recursive: true, force: true })
})

/** Runs a line of the page as the account with index `sender` and gives what it prints. */
async function run(line: string, sender: number): Promise<string> {
  const at = `--rpc ${stage.anvil.rpcUrl} --settlement ${stage.addresses.settlement}`
  const nested = /"\$\(([^)]*)\)"/.exec(line)
  const inner = nested ? await run(nested[1]!, sender) : ''
  const [command, output] = line
    .replace(nested?.[0] ?? '""', inner.trim())
    .replace('$AT', at)
    .replace('$OWNER', stage.people[OWNER]!)
    .replace('$BUYER', stage.people[BUYER]!)
    .replace(/(?<=\s)[\w-]+\.(?:key|json)(?=\s|$)/g, (name: string) => join(directory, name))
    .split(' > ')
  const [program, noun, ...args] = command!.trim().split(/\s+/)
  expect([program, noun]).toEqual(['attestream', 'device'])
  const printed: string[] = []
  const log = vi.spyOn(console, 'log').mockImplementation((text: string) => void printed.push(text))
  vi.stubEnv('ATTESTREAM_PRIVATE_KEY', stage.keys[sender])
  vi.stubEnv('ATTESTREAM_API_KEY', ADMIN_KEY)
  try {
    await deviceCommand().parseAsync(args, { from: 'user' })
  } finally {
    log.mockRestore()
    vi.unstubAllEnvs()
  }
  if (output) writeFileSync(output.trim(), printed.join('\n'))
  return printed.join('\n')
}

const next = (sender: number): Promise<string> => run(lines.shift()!, sender)

/** The device's DID resolved by the engine, once it has seen the latest block, which changed the device. */
async function resolved(): Promise<{ status: number; didDocument: any; didDocumentMetadata: any }> {
  const did = `did:attestream:${stage.anvil.chainId}:${stage.addresses.devices.toLowerCase()}:1`
  const block = await stage.publicClient.getBlockNumber({ cacheTime: 0 })
  const ask = async () => {
    const response = await fetch(`${url}/1.0/identifiers/${did}`)
    return { status: response.status, ...((await response.json()) as { didDocument: any; didDocumentMetadata: any }) }
  }
  await vi.waitFor(async () => expect((await ask()).didDocumentMetadata.versionId).toBe(block.toString()), {
    timeout: 60_000,
    interval: 100,
  })
  return ask()
}

const accountDid = (account: number) => `did:pkh:eip155:${stage.anvil.chainId}:${stage.people[account]}`

describe('the commands of docs/identity.md', () => {
  it('make a key, admit and register a device, whoever sends it, and show it', async () => {
    const key = await next(OWNER)
    expect(key).toMatch(/^\d+,\d+$/)
    expect(statSync(join(directory, 'meter.key')).mode & 0o777).toBe(0o600)
    await expect(run('attestream device key meter.key --new', OWNER)).rejects.toMatchObject({ code: 'INPUT_INVALID' })
    await expect(run(lines[0]!, OWNER)).rejects.toMatchObject({ code: 'INPUT_INVALID', message: expect.stringContaining('admitter') }) // prettier-ignore
    await next(ADMITTER)
    expect(await next(SPONSOR)).toContain('cohort 0, slot 0')
    const shown = await next(SPONSOR)
    for (const fact of ['active', stage.people[OWNER]!, key, 'maker.example']) expect(shown).toContain(fact)
    const { status, didDocument } = await resolved()
    expect(status).toBe(200)
    expect(didDocument).toMatchObject({ controller: accountDid(OWNER), verificationMethod: [{ type: 'JsonWebKey' }] })
    expect(didDocument.service[0].serviceEndpoint).toBe('https://maker.example/meter/1/did.json')
  })

  it('B-04 suspend and confirm its key, and sell it to one who must confirm it', async () => {
    await next(OWNER)
    expect((await resolved()).didDocument).not.toHaveProperty('verificationMethod')
    await next(OWNER)
    expect(await next(OWNER)).toContain('suspended until')
    const sold = await resolved()
    expect(sold.didDocument).toMatchObject({ controller: accountDid(BUYER) })
    expect(sold.didDocumentMetadata.attestream.status).toBe('suspended')
    await expect(run(lines[0]!, OWNER)).rejects.toMatchObject({ details: { error: 'NotDeviceOwner' } })
    await next(BUYER)
  })

  it('give it another key', async () => {
    const [before] = (await resolved()).didDocument.verificationMethod
    await next(BUYER)
    await next(ADMITTER)
    await next(BUYER)
    const [after] = (await resolved()).didDocument.verificationMethod
    expect(after.id).not.toBe(before.id)
  })

  it('pay its owner and end it', async () => {
    await stage.chain.settle(await stage.receipt(await stage.anchorNext(), [8n, 0n, 0n, 0n], 61n))
    expect(await next(BUYER)).toContain('Device 1: 8 units')
    await next(BUYER)
    expect(await resolved()).toMatchObject({
      status: 410,
      didDocument: null,
      didDocumentMetadata: { deactivated: true },
    })
    expect(lines).toEqual([])
  })

  it('have an engine pay for a registration, and tell a wallet what to sign and send', async () => {
    const admit =
      'attestream device admit $AT --project 1 --owner $OWNER --key "$(attestream device key last.key --new)"'
    const unsigned = JSON.parse(await run(`${admit} --unsigned`, ADMITTER))
    expect(unsigned).toMatchObject({ signature: null, typedData: { primaryType: 'Admission' } })
    await run(`${admit.replace(' --new', '')} > last.json`, ADMITTER)
    const before = await stage.publicClient.getTransactionCount({ address: stage.operator })
    expect(await run(`attestream device register last.json --engine ${url} $AT`, SPONSOR)).toContain('slot 1')
    expect(await stage.publicClient.getTransactionCount({ address: stage.operator })).toBe(before + 1)
    const call = JSON.parse(await run('attestream device suspend 2 --calldata $AT', SPONSOR))
    expect(call).toMatchObject({ chainId: stage.anvil.chainId, to: stage.addresses.devices })
    await stage.publicClient.call({ account: stage.people[OWNER]!, to: call.to, data: call.data })
    const shown = JSON.parse(await run('attestream device show 2 --json $AT', SPONSOR))
    expect(shown).toMatchObject({ deviceId: '2', status: 'active', units: { pending: '0' } })
  })
})
