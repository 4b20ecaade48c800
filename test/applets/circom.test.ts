// The constraints that docs/applets.md gives are circom's: all applets in one circuit cost what the compiler says of each, added up.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { CIRCOM_OUTPUT, collectSources, compileCircom } from '../../circuits/circom.ts'
import { compileApplet } from '../../circuits/compiler/index.ts'
import { readR1cs } from '../../circuits/setup/r1cs.ts'
import { APPLET_NAMES, builtApplet } from './built.ts'

const folder = mkdtempSync(join(tmpdir(), 'applets-circom-'))
afterAll(() => rmSync(folder, { recursive: true }))

it('circom counts the constraints of all applets as the compiler does', async () => {
  const sources: Record<string, string> = {}
  let expected = 0
  for (const [k, name] of APPLET_NAMES.entries()) {
    const { circom, stats } = compileApplet(await builtApplet(name))
    expect(circom.match(/\btemplate\b.*\bApplet\(/g)).toHaveLength(1)
    sources[`applet${k}.circom`] = circom.replace(/\bApplet\(/, `Applet${k}(`)
    expected += stats.constraints
  }
  sources['main.circom'] = mainOf(APPLET_NAMES.map((_, k) => compiledInputs(sources[`applet${k}.circom`]!)))
  await compileCircom(collectSources(sources), folder)
  expect(readR1cs(join(folder, CIRCOM_OUTPUT.r1cs)).constraintCount).toBe(expected)
})

interface Port {
  readonly name: string
  readonly size: string
}

function compiledInputs(circom: string): { inputs: Port[]; outputs: Port[] } {
  const ports = (kind: string) =>
    [...circom.matchAll(new RegExp(`signal ${kind} (\\w+)(\\[\\d+\\])?`, 'g'))].map(([, name, size = '']) => ({
      name: name!,
      size,
    }))
  return { inputs: ports('input'), outputs: ports('output') }
}

/** Every applet once, its signals those of main. */
function mainOf(applets: readonly ReturnType<typeof compiledInputs>[]): string {
  const lines = applets.flatMap(({ inputs, outputs }, k) => [
    ...inputs.map(({ name, size }) => `    signal input ${name}${k}${size};`),
    ...outputs.map(({ name, size }) => `    signal output ${name}${k}${size};`),
    `    component applet${k} = Applet${k}();`,
    ...inputs.map(({ name }) => `    applet${k}.${name} <== ${name}${k};`),
    ...outputs.map(({ name }) => `    ${name}${k} <== applet${k}.${name};`),
  ])
  const includes = applets.map((_, k) => `include "applet${k}.circom";`)
  return ['pragma circom 2.1.6;', ...includes, 'template Main() {', ...lines, '}', 'component main = Main();', ''].join(
    '\n',
  )
}
