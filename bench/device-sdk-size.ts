// Size of the device SDK as a device would ship it: one bundle of sdk/index.ts and all it imports, minified, for the web.

import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'

/** Bytes of the bundle, uncompressed; the figure `bytes.deviceSdk`. */
export function deviceSdkBytes(): number {
  return deviceSdkBundle().length
}

/** The bundle; fails if the SDK imports anything of Node. */
export function deviceSdkBundle(): Uint8Array {
  const { outputFiles } = buildSync({
    entryPoints: [fileURLToPath(new URL('../sdk/index.ts', import.meta.url))],
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    logLevel: 'silent',
  })
  return outputFiles[0]!.contents
}
