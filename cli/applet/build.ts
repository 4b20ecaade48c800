// `applet build`: from source to WASM that an engine takes, or the source line that keeps it from becoming a circuit.

import { mkdir, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Command } from 'commander'
import { withSourceLines } from '../../applets/explain-refusal.ts'
import { directR1cs } from '../../circuits/compiler/direct-r1cs.ts'
import { compileApplet } from '../../circuits/compiler/index.ts'
import { AttestreamError } from '../../engine/index.ts'
import { compileApplet as compileNative } from '../../engine/runner/run.ts'
import { createProgress } from '../progress.ts'
import { grouped, printFacts, printJson } from '../table.ts'
import { examine, examineCommand, reasonOf } from './command.ts'
import { loadApplet } from './source.ts'

interface BuildFlags {
  readonly output?: string
  readonly r1cs?: string
  readonly json: boolean
}

export function buildCommand(): Command {
  return examineCommand(
    'build',
    'Compile an applet to WASM and check that the engine runs it and a circuit can prove it',
    'attestream applet build applets/energy-meter.ts -o energy-meter.wasm',
  )
    .argument('<source>', 'source x.ts')
    .option('-o, --output <file>', 'where the WASM goes, its source map beside it; default: build/applets/x.wasm')
    .option(
      '--r1cs <file>',
      "also write one reading's constraints, straight from the compiler; batches are proven by circom's",
    )
    .option('--json', 'print JSON', false)
    .action(examine(build))
}

async function build(source: string, { output, r1cs, json }: BuildFlags): Promise<boolean> {
  if (!source.endsWith('.ts')) {
    throw new AttestreamError('INPUT_INVALID', `The source is '${source}'; expected an AssemblyScript file x.ts.`)
  }
  const progress = createProgress()
  const { appletId, wasm, sourceMap, lines } = await loadApplet(source, progress)
  progress.step('Compile to a circuit')
  const { stats, abi, ir } = withSourceLines(lines, () => {
    compileNative(wasm)
    return compileApplet(wasm)
  })
  const file = output ?? join('build', 'applets', `${basename(source, '.ts')}.wasm`)
  const map = sourceMap === undefined ? null : `${file}.map`
  await write(file, wasm)
  if (sourceMap !== undefined) await write(`${file}.map`, sourceMap)
  if (r1cs !== undefined) await write(r1cs, directR1cs(ir).file)
  progress.end()
  const { constraints } = stats
  if (json) {
    printJson({ appletId, file, sourceMap: map, sizeBytes: wasm.length, constraints, r1cs: r1cs ?? null, abi })
    return true
  }
  printFacts([
    ['applet', appletId],
    ['file', map === null ? file : `${file} (source map ${map})`],
    ['size', `${grouped(wasm.length)} bytes`],
    ['a reading', `${grouped(constraints)} constraints (applet stats ${source} tells where from)`],
    ...(r1cs === undefined ? [] : [['r1cs', r1cs] as [string, string]]),
  ])
  return true
}

async function write(file: string, content: Uint8Array | string): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, content)
  } catch (cause) {
    throw new AttestreamError('INPUT_INVALID', `${file} cannot be written: ${reasonOf(cause)}.`, {}, { cause })
  }
}
