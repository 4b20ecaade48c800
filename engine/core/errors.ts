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
  APPLET_INSTRUCTION_UNSUPPORTED: 'The WASM uses an instruction that applets may not use, such as SIMD or atomics.',
  APPLET_MEMORY_INVALID: 'The WASM declares no memory, several, or more pages than an applet may have.',
  APPLET_RUN_FAILED: 'The worker that ran an applet died, for example by running out of memory.',
  APPLET_SOURCE_INVALID: 'The AssemblyScript source of an applet does not compile.',
  APPLET_START_FAILED: 'The WASM traps or does not fit its memory when it is instantiated.',
  APPLET_TIMEOUT: 'Running an applet over a batch took longer than the engine waits; the worker was stopped.',
  APPLET_TOO_LARGE: 'The WASM is larger than an applet may be.',
  APPLET_UNSUPPORTED:
    'The applet does something that cannot become a circuit; the error says where and what to write instead.',
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
  ADMISSION_INVALID: 'The file with an admission, or with a rotation, does not have the documented shape.',
  DID_INVALID: 'A text is not a DID, or not one of a device in its one canonical form.',
  DID_METHOD_UNKNOWN: 'A DID is of another method than did:attestream.',

  // circuits: build and setup
  CIRCUIT_BUILD_FAILED: 'The circom compiler refused a generated circuit: a defect of the applet compiler.',
  CEREMONY_CLOSED: 'Something was to be added to a ceremony that has had its beacon.',
  CEREMONY_INCOMPLETE: 'A ceremony was to be finished to which nobody has contributed.',
  CEREMONY_INVALID:
    "A ceremony's directory contradicts itself: transcript, circuit, powers of tau and keys do not fit.",
  CIRCUIT_SHAPE_INVALID: 'A circuit was asked for with a cohort size, frame size or unit bound it cannot have.',
  POWERS_OF_TAU_MISMATCH: 'The hash of a powers-of-tau file is not that of the ceremony, or not the expected one.',
  POWERS_OF_TAU_TOO_SMALL: 'A powers-of-tau file has fewer powers than the circuit needs.',
  POWERS_OF_TAU_UNAVAILABLE: 'A powers-of-tau file is not where it was named, or could not be downloaded to its end.',
  PROVING_KEY_REFUSED: 'A proving key does not follow from its circuit and powers of tau, or is a development key.',
  R1CS_INVALID: 'A constraint file is not a well-formed .r1cs file over BN254.',
  ZKEY_INVALID: 'A file is not a Groth16 proving key that can be read.',

  // engine
  ACKNOWLEDGED_FRAME_DROPPED:
    'An acknowledged frame can no longer be proven: the key of its device or the Reading layout of its project was changed first.',
  APPLET_UNKNOWN: 'No applet with this id was uploaded to the engine.',
  ANCHOR_STALE:
    'A batch was anchored too long ago without being settled; its anchor is void and its frames wait again.',
  CIRCUIT_DISAGREES: 'The circuit refuses the native result of a batch: a defect; nothing was submitted.',
  CIRCUIT_NOT_READY: 'The circuit of the applet for this cohort and frame size is not built yet, or its build failed.',
  COHORT_NUMBERS_USED: 'A cohort has as many anchored batches that are not settled as the contract takes.',
  DA_OBJECT_CORRUPT: 'A data-availability object no longer hashes to its pointer.',
  DA_OBJECT_PRUNED: 'A data-availability object was deleted after its retention period.',
  DA_OBJECT_UNKNOWN: 'No data-availability object has this pointer.',
  CONNECT_TOKEN_INVALID: 'A device that connects to the MQTT broker does not prove that it has its key.',
  DEVICE_FOREIGN: 'The device belongs to a project that this engine does not serve.',
  DEVICE_QUEUE_FULL: 'As many frames of the device wait for a batch as the engine can promise to anchor.',
  DEVICE_REVOKED: 'The key of the device is revoked or suspended.',
  DEVICE_UNKNOWN: 'No device with this id is registered on chain.',
  DID_FOREIGN: 'A DID names a device of another chain or registry than the one of this engine.',
  ENGINE_BUSY: 'As many frames wait for their check as the engine takes at once.',
  ENGINE_CLOSED: 'The engine is shutting down.',
  FRAME_UNKNOWN: 'The engine holds no frame of this device with this sequence.',
  RATE_LIMITED: 'A device or a project sends more frames than the engine takes from it.',
  TOO_MANY_REFUSED: 'A sender has sent too many frames of unknown devices or with wrong signatures.',
  PROJECT_CONFIG_MISMATCH: 'The config given for a project does not hash to the configHash on chain.',
  PROJECT_BUDGET_EXCEEDED:
    'The budget of a project is used up for the present window; its batches wait for the next one.',
  PROJECT_ESCROW_LOW: 'The escrow of a project has too little that is neither credited nor reserved.',
  PROJECT_STATE_INCOMPATIBLE:
    "The active applet version cannot go on from the project's ledger pages: another State that the version does not reset, or another cohort size.",
  PROJECT_UNKNOWN: 'The project does not exist on chain, or this engine does not serve it.',
  PROJECT_VERSION_MISMATCH:
    'The active applet version on chain has another circuit or verifying key than this engine built.',
  PROOF_FAILED: 'A proof could not be computed, or did not verify under its own key.',
  RECEIPT_UNKNOWN: 'The task is unknown or has no receipt yet.',
  SEQUENCE_OUTDATED: 'The sequence of a frame is below one that the device already used.',
  SEQUENCE_REPEATED: 'The device already sent another frame with this sequence.',
  SEQUENCE_TOO_FAR: 'The sequence of a frame is more than 2^32 ahead of the last.',
  SPONSORING_OFF: 'The engine does not pay for registrations of devices.',
  STEP_FAILED: 'A step of a task failed for a reason without a code of its own; the message tells it.',
  STORE_LOCKED: 'The data directory is in use by another engine.',
  TASK_NOT_FAILED: 'Only a failed task can be retried.',
  TASK_UNKNOWN: 'The engine has no task with this id.',
  VERSION_NOT_ACTIVE: 'An applet version is not active yet, or past its sunset.',
  VERSION_STOPPED:
    'An applet version or its verifying key was stopped for ever; nothing is anchored or settled under it.',

  // chain
  ACKNOWLEDGEMENT_INVALID: 'The signature of an acknowledgement is not one by the key of the operator.',
  ANVIL_FAILED: 'The local chain ended or did not answer while it was being started.',
  ANVIL_MISSING: 'The package with the local chain is not installed for this platform.',
  CHAIN_MISMATCH: 'The node at the RPC URL serves another chain than the one configured.',
  CHAIN_FEE_CAPPED: 'A transaction would need a higher gas price than the configuration allows.',
  CHAIN_FEE_LOW:
    'The node finds the gas price of a transaction too low, or a pending one of the same number holds it up.',
  CHAIN_FUNDS_LOW: 'The account that signs has too little of the native coin to pay for gas.',
  CHAIN_NONCE_CONFLICT: 'The number of a transaction is taken or leaves a gap: something else sends with the same key.',
  CHAIN_NOT_PERMITTED:
    'The account that signs does not have the role that the contract asks for; details name the custom error.',
  CHAIN_REVERTED: 'A contract refused a call; details name its custom error and the values.',
  CHAIN_UNAVAILABLE: 'The node at the RPC URL answers with an error of its own.',
  CHAIN_UNREACHABLE: 'No RPC endpoint of the chain answers, or none serves the right chain without lagging behind.',

  // deployment
  CHAIN_UNSUPPORTED: 'A chain lacks an instruction or a precompiled contract that the contracts need.',
  CODE_MISMATCH: "An address of a deployment holds other code than the contract's.",
  SIGNING_KEY_INVALID: 'The key that a command signs with is missing, or is not a private key.',
  DEPLOYMENT_CHANGED: 'A deployment file tells of other contracts or arguments than would be deployed now.',
  FUNDS_INSUFFICIENT: 'The deployer has less than the transactions are expected to cost.',
  KEYSTORE_INVALID: 'A file is not an encrypted key of version 3 that can be read.',
  KEYSTORE_PASSPHRASE_WRONG: 'The passphrase does not open the keystore.',
  NETWORK_UNKNOWN: 'A network was named that is not in the table.',
  TRANSACTION_PENDING: 'A transaction was sent and is not in a block yet.',

  // api
  ACCESS_DENIED: 'The API key is valid but does not reach this project or this operation.',
  API_KEY_INVALID: 'The bearer key of a request is not known.',
  API_KEY_MISSING: 'A request that needs an API key came without one.',
  BODY_TOO_LARGE: 'The body of a request is larger than its route takes.',
  INTERNAL: 'The engine failed in a way that has no code of its own; its log tells more.',
  MEDIA_TYPE_UNSUPPORTED: 'The content type of a request is not one that its route reads.',
  DID_OPTION_UNSUPPORTED:
    'A DID was to be resolved with options, such as a version; only the present state can be told.',
  DID_REPRESENTATION_UNSUPPORTED: 'A DID was to be resolved to a media type that the resolver does not write.',
  REQUEST_INVALID: 'A path, query or body of a request does not have the documented shape.',
  ROUTE_UNKNOWN: 'No route has this method and path.',

  // sdk
  ENGINE_UNREACHABLE: 'The device could not deliver its frames: every attempt met a network error or a busy engine.',
  RESPONSE_INVALID: 'The engine answered a device with something that the SDK does not understand.',
  SEQUENCE_EXHAUSTED: 'A device has used the last sequence number that 64 bits hold.',
  // cli: recorded data
  DATASET_INVALID: 'A CSV of recorded readings cannot be read, or a cell of it is not what its column should hold.',
  DATASET_UNKNOWN: 'A CSV has a header that is not known, or is meant for another applet.',
  INPUT_INVALID: 'A file, address or value given to a command cannot be read or is not what the command expects.',
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

/** True if a contract refused the call, whatever code that has; false if the node did, or did not answer. */
export function isRefusal(error: unknown): error is AttestreamError {
  return isAttestreamError(error) && 'error' in error.details
}
