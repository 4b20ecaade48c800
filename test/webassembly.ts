/** The part of the WebAssembly JavaScript interface the tests use; the ES2023 library does not declare it. */
interface WebAssemblyInterface {
  validate(bytes: Uint8Array): boolean
  Module: new (bytes: Uint8Array) => object
  Instance: new (module: object, imports?: object) => { exports: Record<string, unknown> }
  RuntimeError: new (message?: string) => Error
}

export const WebAssembly = (globalThis as unknown as { WebAssembly: WebAssemblyInterface }).WebAssembly
