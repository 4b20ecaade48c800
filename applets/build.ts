/**
 * Compiles an applet in this process, with the options that plain `npx asc` takes from asconfig.json: same source, same bytes.
 */
import { dirname, join, relative, resolve } from 'node:path'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import asc from 'assemblyscript/asc'
import { AttestreamError } from '../engine/core/errors.ts'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const OUT_FILE = 'applet.wasm'

/** asc keeps the program in the transform's prototype, so compilations take turns. */
let turn: Promise<unknown> = Promise.resolve()

/** WASM of one applet, the attestream.abi section included. Throws APPLET_SOURCE_INVALID with asc's diagnostics. */
export function buildApplet(sourcePath: string): Promise<Uint8Array> {
  const built = turn.then(() => compile(resolve(sourcePath)))
  turn = built.catch(() => undefined)
  return built
}

async function compile(sourcePath: string): Promise<Uint8Array> {
  let wasm: Uint8Array | undefined
  const { error, stderr } = await asc.main(
    [relative(ROOT, sourcePath), '--baseDir', ROOT, '--config', 'asconfig.json', '--outFile', OUT_FILE],
    {
      readFile: (name, baseDir) => readFile(join(baseDir, name), 'utf8').catch(() => null),
      writeFile: (name, contents) => {
        if (name === OUT_FILE && typeof contents !== 'string') wasm = contents
      },
      listFiles: () => [],
    },
  )
  if (!error && wasm) return wasm
  const diagnostics = `${stderr.toString().trim()}\n${error?.message ?? ''}`.trim()
  throw new AttestreamError('APPLET_SOURCE_INVALID', `${sourcePath} does not compile:\n${diagnostics}`)
}
