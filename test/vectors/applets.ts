// Golden hashes of the shipped applets: what the compilers make of each, so that a change of theirs is a decision that a diff shows.
// `npx tsx test/vectors/applets.ts` writes them; another machine that gets others has found a dependence on the machine.

import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { buildApplet } from '../../applets/build.ts'
import { compileApplet } from '../../circuits/compiler/index.ts'

export const GOLDEN_APPLETS = ['energy-meter', 'movement', 'uptime'] as const

export interface GoldenApplet {
  /** SHA-256 of the WASM. */
  readonly appletId: string
  /** SHA-256 of `template Applet()`, the published text. */
  readonly circomSha256: string
}

export async function appletHashes(): Promise<Record<string, GoldenApplet>> {
  const hashes: Record<string, GoldenApplet> = {}
  for (const name of GOLDEN_APPLETS) {
    const { appletId, circom } = compileApplet(await buildApplet(`applets/${name}.ts`))
    hashes[name] = { appletId, circomSha256: `0x${createHash('sha256').update(circom).digest('hex')}` }
  }
  return hashes
}

if (import.meta.url === pathToFileURL(process.argv[1]!).href) {
  const text = `${JSON.stringify(await appletHashes(), null, 2)}\n`
  writeFileSync(new URL('./applets.json', import.meta.url), text)
}
