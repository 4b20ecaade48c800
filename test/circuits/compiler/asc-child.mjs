// Compiles AssemblyScript sources, one for each message { source, options }, in one process: loading asc takes longer than
// compiling. A source stands for a file in applets/, so that it imports ./lib/….
import { Buffer } from 'node:buffer'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { main } from 'assemblyscript/asc'

process.on('message', ({ source, options }) => {
  void compile(source, options).then((answer) => process.send(answer))
})

async function compile(source, options) {
  let wasm
  const diagnostics = []
  const { error } = await main(['applets/fuzzed.ts', ...options, '--outFile', 'fuzzed.wasm'], {
    readFile: (name) => (name === 'applets/fuzzed.ts' ? source : onDisk(name)),
    writeFile: (_, bytes) => (wasm = bytes),
    listFiles: () => null,
    stdout: { write: () => true },
    stderr: { write: (text) => diagnostics.push(text) },
  })
  if (error || wasm === undefined) return { error: `${error?.message}\n${diagnostics.join('')}` }
  return { wasm: Buffer.from(wasm).toString('base64') }
}

function onDisk(name) {
  if (name.endsWith('asconfig.json')) return null // the options of the message are all there are
  try {
    return readFileSync(resolve(name), 'utf8')
  } catch {
    return null
  }
}
