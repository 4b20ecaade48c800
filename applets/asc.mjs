/**
 * Child process of build.ts: compiles applets with asc and the options of asconfig.json, several in one process, since loading asc
 * takes as long as compiling does. Arguments: `--with-source-map` or nothing, then source paths relative to the working directory.
 * Prints one line of JSON for each source: `{ wasm, sourceMap }` with the WASM in base64, or `{ diagnostics }`.
 *
 * The WASM is always that of a run without source map: what is recorded on chain must not hang on how it was debugged. The map of
 * a second run is handed out only when that run gave the same bytes but for its `sourceMappingURL` section.
 */
import { Buffer } from 'node:buffer'
import asc from 'assemblyscript/asc'

const OUT_FILE = 'applet.wasm'
const URL_SECTION = 'sourceMappingURL'

const args = process.argv.slice(2)
const withSourceMap = args[0] === '--with-source-map'
for (const source of withSourceMap ? args.slice(1) : args) {
  console.log(JSON.stringify(await compile(source)))
}

async function compile(source) {
  const plain = await run(source, [])
  const wasm = plain.files.get(OUT_FILE)
  if (plain.error || !wasm) return { diagnostics: plain.diagnostics || String(plain.error?.message) }
  const sourceMap = withSourceMap ? await sourceMapOf(source, wasm) : undefined
  return { wasm: Buffer.from(wasm).toString('base64'), sourceMap }
}

async function sourceMapOf(source, wasm) {
  const { files } = await run(source, ['--sourceMap'])
  const mapped = files.get(OUT_FILE)
  const sourceMap = files.get(`${OUT_FILE}.map`)
  return mapped && Buffer.compare(withoutSection(mapped), wasm) === 0 ? sourceMap : undefined
}

async function run(source, options) {
  const files = new Map()
  const writeFile = (name, content) => void files.set(name, content)
  const args = [source, '--config', 'asconfig.json', '--outFile', OUT_FILE, '--noColors', ...options]
  const { error, stderr } = await asc.main(args, { writeFile })
  return { files, error, diagnostics: stderr.toString().trim() }
}

/** The module without the custom section that names its source map. */
function withoutSection(wasm) {
  let offset = 8
  while (offset < wasm.length) {
    const [size, payload] = leb(wasm, offset + 1)
    const [length, text] = leb(wasm, payload)
    const named = wasm[offset] === 0 && Buffer.from(wasm.subarray(text, text + length)).toString() === URL_SECTION
    if (named) return Buffer.concat([wasm.subarray(0, offset), wasm.subarray(payload + size)])
    offset = payload + size
  }
  return wasm
}

/** An unsigned LEB128 number and the offset behind it. */
function leb(bytes, offset) {
  let value = 0
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[offset++]
    value += (byte & 0x7f) * 2 ** shift
    if (byte < 0x80) return [value, offset]
  }
}
