// Every coded error of Attestream, in one table. A code is stable: clients may switch on it.
// The table's text says when the code is used; the message of a thrown error says what came,
// what was expected and what to do. `docs/errors.md` lists the same codes (a test keeps them equal).

/** All error codes with the situation each stands for. */
export const ERRORS = {
  // core: bytes and numbers
  NUMBER_OUT_OF_RANGE: 'A number lies outside the range of its field.',
  HEX_INVALID: 'A string is not hexadecimal bytes of the expected length.',
  CURVE_POINT_INVALID: 'A public key or signature point is not on BabyJubJub, or is of low order.',
  RECORD_FIELD_MISSING: 'A reading, state or config lacks a field that its layout declares.',
  RECORD_FIELD_UNKNOWN: 'A reading, state or config has a field that its layout does not declare.',
  RECORD_FIELD_OUT_OF_RANGE: 'A field value does not fit the width that the applet declares.',
  // core: applets
  WASM_MALFORMED: 'The bytes are not a well-formed WebAssembly module.',
  APPLET_ABI_MISSING: 'The WASM has no attestream.abi section; it was not compiled with the ABI transform.',
  APPLET_ABI_INVALID: 'The attestream.abi section or the exports of the WASM break the applet ABI.',
  APPLET_BUDGET_EXCEEDED: 'A call of the applet used more instructions or stack than the engine allows.',
  APPLET_FLOATS: 'The WASM uses floating point, whose results differ between machines.',
  APPLET_IMPORTS: 'The WASM imports something; an applet sees its records and nothing else.',
  APPLET_INSTRUCTION_UNSUPPORTED: 'The WASM uses an instruction that applets may not use, such as memory.grow or SIMD.',
  APPLET_MEMORY_INVALID: 'The WASM declares no memory, several, or more pages than an applet may have.',
  APPLET_RUN_FAILED: 'The worker that ran an applet died, for example by running out of memory.',
  APPLET_SOURCE_INVALID: 'The AssemblyScript source of an applet does not compile.',
  APPLET_START_FAILED: 'The WASM traps or does not fit its memory when it is instantiated.',
  APPLET_TIMEOUT: 'Running an applet over a batch took longer than the engine waits; the worker was stopped.',
  APPLET_TOO_LARGE: 'The WASM is larger than an applet may be.',
  // core: frames, batches, receipts
  FRAME_VERSION_UNKNOWN: 'The first byte of a frame names a version this engine does not read.',
  FRAME_TRUNCATED: 'A frame ends before its declared length.',
  FRAME_TOO_LONG: 'A frame has bytes after its declared length.',
  FRAME_COUNT_INVALID: 'A frame holds no reading, or more than the frame size of the applet version.',
  FRAME_NOT_CANONICAL: 'A frame has padding bits set or a signature value outside its range.',
  FRAME_LAYOUT_UNKNOWN: 'A frame was built for a reading layout that the project does not accept now.',
  FRAME_JSON_INVALID: 'The JSON form of a frame does not have the documented shape.',
  SIGNATURE_INVALID: 'The signature of a frame does not belong to the registered key of its device.',
  BATCH_INVALID: 'A batch, or the data-availability object that carries it, is malformed.',
  SEAL_INVALID: 'A seal has the wrong length, names another verifying key, or its proof does not verify.',
  RECEIPT_INVALID: 'A receipt is malformed or its fields contradict each other, the chain or the data.',
} as const

export type ErrorCode = keyof typeof ERRORS

/** An error with a stable code. `details` carries machine-readable values, never secrets. */
export class AttestreamError extends Error {
  readonly code: ErrorCode
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, message: string, details: Record<string, unknown> = {}, options?: ErrorOptions) {
    super(message, options)
    this.name = 'AttestreamError'
    this.code = code
    this.details = details
  }
}

/** True if `error` is an AttestreamError, of one of `codes` when given. */
export function isAttestreamError(error: unknown, ...codes: ErrorCode[]): error is AttestreamError {
  return error instanceof AttestreamError && (codes.length === 0 || codes.includes(error.code))
}
