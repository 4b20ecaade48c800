// Compiles many applets in one process: JSON [{ name, source }] on standard input, JSON { name: base64 of the WASM } on standard output.
// Starting asc takes longer than compiling an applet. Sources are seen as applets/<name>.ts, so './lib/…' is the library.

import { Buffer } from 'node:buffer'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import asc from 'assemblyscript/asc'

const root = process.cwd()
const sources = new Map(JSON.parse(readFileSync(0, 'utf8')).map(({ name, source }) => [`applets/${name}.ts`, source]))
const built = {}
const kept = new Map()

function readFile(name, baseDir) {
  if (sources.has(name)) return sources.get(name)
  const path = join(baseDir, name)
  if (!kept.has(path)) kept.set(path, readText(path))
  return kept.get(path)
}

function readText(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}

for (const path of sources.keys()) {
  const out = []
  const options = [path, '--config', 'asconfig.json', '--baseDir', root, '--outFile', 'out.wasm']
  const { error, stderr } = await asc.main(options, {
    readFile,
    writeFile: (_, contents) => void out.push(contents),
    listFiles: () => [],
  })
  if (error || out.length !== 1) throw new Error(`${path} does not compile:\n${stderr.toString() || error?.message}`)
  built[path.slice('applets/'.length, -3)] = Buffer.from(out[0]).toString('base64')
}
writeFileSync(1, JSON.stringify(built))
