// `applet line`: the line of source behind an offset in the WASM, which is what an engine can tell of a constraint that does not hold.

import { InvalidArgumentError, type Command } from 'commander'
import { AttestreamError } from '../../engine/index.ts'
import { examine, examineCommand, type Outcome } from './command.ts'
import { appletLine, loadApplet } from './source.ts'

export function lineCommand(): Command {
  return examineCommand(
    'line',
    'Name the line of source behind an offset in the WASM, as errors of circuits and proofs tell it',
    'attestream applet line applets/energy-meter.ts 0x1a4',
  )
    .argument('<applet>', 'x.ts, or x.wasm with x.wasm.map beside it')
    .argument('<offset>', 'such as 0x1a4', offset)
    .option('--json', 'print { file, line, text }', false)
    .action(examine(nameLine))
}

async function nameLine(path: string, wasmOffset: number, { json }: { json: boolean }): Promise<Outcome> {
  const { lines } = await loadApplet(path)
  if (!lines) {
    throw new AttestreamError('INPUT_INVALID', `There is no source map ${path}.map; give the applet's source instead.`)
  }
  const found = appletLine(lines, wasmOffset)
  if (!found)
    throw new AttestreamError('INPUT_INVALID', `No line of source led to offset 0x${wasmOffset.toString(16)}.`)
  console.log(json ? JSON.stringify(found) : `${found.file}:${found.line}: ${found.text}`)
  return true
}

function offset(text: string): number {
  if (/^(0x[0-9a-f]{1,8}|\d{1,9})$/i.test(text)) return Number(text)
  throw new InvalidArgumentError('Expected an offset such as 0x1a4.')
}
