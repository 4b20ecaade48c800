// Shapes of requests and replies in TypeBox: they validate what comes in, type the routes, and document both in
// /openapi.json. Integers that may pass 2^53 are decimal strings; hashes and bytes are 0x… in lower case.

import { Type, type TSchema } from 'typebox'

export const Decimal = Type.String({ pattern: '^(0|[1-9][0-9]{0,77})$', examples: ['1'] })
export const U64 = Type.String({ pattern: '^(0|[1-9][0-9]{0,19})$', description: 'Unsigned 64-bit integer in decimal' })
export const Hash = Type.String({ pattern: '^0x[0-9a-f]{64}$', description: '32 bytes' })
export const Address = Type.String({ pattern: '^0x[0-9a-fA-F]{40}$' })
export const HexBytes = Type.String({ pattern: '^0x([0-9a-fA-F]{2})*$' })
const TimeMs = Type.Number({ description: 'Unix time in milliseconds' })

function nullable<T extends TSchema>(type: T) {
  return Type.Union([type, Type.Null()])
}

export const ErrorReply = Type.Object(
  {
    error: Type.Object({
      code: Type.String({ description: 'Stable code, listed in docs/errors.md' }),
      message: Type.String(),
      details: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
      requestId: Type.String(),
    }),
  },
  {
    description: 'Any failure',
    examples: [{ error: { code: 'TASK_UNKNOWN', message: 'There is no task 0x….', requestId: 'b4a1…' } }],
  },
)

const Failure = Type.Object({ code: Type.String(), message: Type.String() })

export const PageQuery = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
  offset: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000_000, default: 0 })),
}

export const ProjectQuery = Type.Object(
  { projectId: Type.Optional(U64), ...PageQuery },
  { additionalProperties: false, description: 'projectId may be left out with a project key' },
)

const Field = Type.Object({
  name: Type.String(),
  type: Type.String(),
  bits: Type.Integer(),
  offset: Type.Integer(),
})

const Manifest = Type.Object({
  appletId: Hash,
  compilerVersion: Type.String(),
  circomSha256: Hash,
  r1csSha256: Hash,
  vkHash: Hash,
  verifyingKey: HexBytes,
  cohortSize: Type.Integer(),
  frameSize: Type.Integer(),
  constraints: Type.Integer(),
  publicSignals: Type.Integer(),
  devSetup: Type.Boolean(),
  setupTranscriptHash: Hash,
})

export const Circuit = Type.Object({
  appletId: Hash,
  cohortSize: Type.Integer(),
  frameSize: Type.Integer(),
  status: Type.Union([Type.Literal('building'), Type.Literal('ready'), Type.Literal('failed')]),
  progress: nullable(Type.String()),
  failure: nullable(Failure),
  manifest: nullable(Manifest),
})

export const Applet = Type.Object({
  appletId: Hash,
  abi: Type.Object({
    parameters: Type.Array(Type.String()),
    reading: Type.Array(Field),
    state: Type.Array(Field),
    config: Type.Array(Field),
    maxUnitsPerFrame: Decimal,
  }),
  sizeBytes: Type.Integer(),
  createdMs: TimeMs,
  circuits: Type.Array(Circuit),
})

export const CircuitShape = Type.Object(
  {
    cohortSize: Type.Integer({ minimum: 1, maximum: 1024 }),
    frameSize: Type.Integer({ minimum: 1, maximum: 255 }),
  },
  { additionalProperties: false, examples: [{ cohortSize: 4, frameSize: 4 }] },
)

export const Project = Type.Object({
  projectId: Decimal,
  version: Type.Integer(),
  stateEpoch: Type.Integer({ description: 'Versions of one epoch share their State' }),
  stopped: Type.Boolean({ description: 'Nothing is taken in or anchored until another version is active' }),
  appletId: Hash,
  cohortSize: Type.Integer(),
  frameSize: Type.Integer(),
  layoutId: Decimal,
  deviceDomain: Decimal,
  config: Type.Array(Decimal, { description: 'Raw values in ABI order' }),
  configHash: Decimal,
  createdMs: TimeMs,
})

const FieldName = Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]{0,63}$' })
const FieldValue = Type.Union([
  Type.Integer(),
  Type.Boolean(),
  Type.String({ pattern: '^(0|-?[1-9][0-9]{0,19})$', description: 'Decimal, for values beyond 2^53' }),
])

export const NewProject = Type.Object(
  { projectId: U64, config: Type.Record(FieldName, FieldValue) },
  { additionalProperties: false, examples: [{ projectId: '1', config: { maxWatts: 11000, unitsPerKwh: '1000000' } }] },
)

export const NewConfig = Type.Object(
  { appletId: Hash, config: Type.Record(FieldName, FieldValue) },
  { additionalProperties: false },
)

export const ConfigHash = Type.Object({ projectId: Decimal, configHash: Decimal })

export const ApiKey = Type.Object(
  { projectId: Decimal, apiKey: Type.String({ description: 'Shown once; the engine keeps its SHA-256' }) },
  { description: 'A new project key' },
)

const DeviceStatus = Type.Enum(['active', 'suspended', 'revoked'])

export const Device = Type.Object({
  deviceId: Decimal,
  projectId: Decimal,
  cohort: Type.Integer(),
  slot: Type.Integer(),
  key: Type.Object({ x: Decimal, y: Decimal }),
  active: Type.Boolean(),
  status: DeviceStatus,
  owner: HexBytes,
  registeredSec: Type.Integer({ description: 'Unix time in seconds' }),
  changedSec: Type.Integer({ description: 'Unix time in seconds of the latest change of key, status or owner' }),
  changedBlock: Decimal,
  lastSequence: Decimal,
})

export const NewDevice = Type.Object(
  {
    admission: Type.Object(
      {
        owner: Address,
        projectId: U64,
        keyX: Decimal,
        keyY: Decimal,
        metadataURI: Type.String({ maxLength: 2048 }),
        deadline: U64,
      },
      { additionalProperties: false },
    ),
    signature: Type.String({ pattern: '^0x([0-9a-fA-F]{2}){1,4096}$', description: "By the project's admitter" }),
  },
  { additionalProperties: false, description: 'Two of the fields that `attestream device admit` writes' },
)

export const Registration = Type.Object(
  { deviceId: Decimal, cohort: Type.Integer(), slot: Type.Integer(), txHash: Hash },
  { description: 'A device registered at the expense of the engine' },
)

const DidService = Type.Object({ id: Type.String(), type: Type.String(), serviceEndpoint: Type.String() })

export const DidDocument = Type.Object({
  '@context': Type.Array(Type.String()),
  id: Type.String({ description: 'did:attestream:<chainId>:<registry>:<deviceId>' }),
  controller: Type.String({ description: "The owner's account: did:pkh:eip155:<chainId>:<address>" }),
  alsoKnownAs: Type.Optional(Type.Array(Type.String())),
  verificationMethod: Type.Optional(
    Type.Array(
      Type.Object({
        id: Type.String(),
        type: Type.Literal('JsonWebKey'),
        controller: Type.String(),
        publicKeyJwk: Type.Record(Type.String(), Type.String()),
      }),
      { description: 'The key in use; left out while it is suspended' },
    ),
  ),
  assertionMethod: Type.Optional(Type.Array(Type.String())),
  service: Type.Optional(Type.Array(DidService)),
})

export const DidResolutionReply = Type.Object({
  didDocument: nullable(DidDocument),
  didDocumentMetadata: Type.Object({
    created: Type.Optional(Type.String()),
    updated: Type.Optional(Type.String()),
    versionId: Type.Optional(Type.String({ description: 'Number of the block of the latest change' })),
    deactivated: Type.Optional(Type.Literal(true)),
    attestream: Type.Optional(
      Type.Object({
        status: DeviceStatus,
        owner: Type.String(),
        projectId: Decimal,
        cohort: Type.Integer(),
        slot: Type.Integer(),
      }),
    ),
  }),
  didResolutionMetadata: Type.Object({
    contentType: Type.Optional(Type.String()),
    error: Type.Optional(Type.String({ examples: ['notFound'] })),
    message: Type.Optional(Type.String()),
  }),
})

export const Acknowledgement = Type.Object(
  {
    deviceId: Decimal,
    sequence: Decimal,
    messageHash: Decimal,
    deadline: Type.String({ description: 'Unix seconds by which the frame is to be anchored' }),
    signature: HexBytes,
  },
  { description: "The engine's signed promise to process a frame (EIP-712)" },
)

export const FrameAccepted = Type.Object({ acknowledgement: Acknowledgement })

export const FrameResults = Type.Object(
  { results: Type.Array(Type.Union([FrameAccepted, Type.Object({ error: Failure })])) },
  { description: 'One result per frame, in order: 200 if all were accepted, 207 if some were not' },
)

export const Frame = Type.Object({
  deviceId: Decimal,
  sequence: Decimal,
  projectId: Decimal,
  messageHash: Decimal,
  readings: Type.Array(Type.Record(Type.String(), Type.String())),
  receivedMs: TimeMs,
  taskId: nullable(Hash),
  failure: nullable(Failure),
  acknowledgement: Acknowledgement,
})

const TaskState = Type.Enum(['closed', 'published', 'anchored', 'executed', 'proven', 'settled', 'failed', 'voided'])

export const TaskQuery = Type.Object(
  { projectId: Type.Optional(U64), state: Type.Optional(TaskState), ...PageQuery },
  { additionalProperties: false },
)

export const Task = Type.Object({
  taskId: Hash,
  projectId: Decimal,
  version: Type.Integer(),
  cohort: Type.Integer(),
  state: TaskState,
  frames: Type.Integer(),
  readings: Type.Integer(),
  batchRoot: Decimal,
  daPointer: Hash,
  batchNumber: nullable(Decimal),
  attempts: Type.Integer(),
  failure: nullable(Failure),
  times: Type.Record(Type.String(), TimeMs, { description: 'When each state was reached' }),
  begun: Type.Record(Type.String(), TimeMs, { description: 'When the work began that led to each state' }),
  lastFrameMs: TimeMs,
  anchorTxHash: nullable(Hash),
  anchorGas: nullable(Decimal),
  settleTxHash: nullable(Hash),
  settleGas: nullable(Decimal),
  witnessMs: nullable(Type.Number()),
  proveMs: nullable(Type.Number()),
  unitsBySlot: nullable(Type.Array(Decimal)),
})

const batchFields = {
  taskId: Hash,
  projectId: Decimal,
  cohort: Type.Integer(),
  batchNumber: nullable(Decimal),
  batchRoot: Decimal,
  daPointer: Hash,
  frames: Type.Integer(),
  readings: Type.Integer(),
  state: TaskState,
  closedMs: nullable(TimeMs),
  anchoredMs: nullable(TimeMs),
  anchorTxHash: nullable(Hash),
}

export const Batch = Type.Object(batchFields, { description: 'A batch, named by the task that proves it' })
export const BatchWithFrames = Type.Object({ ...batchFields, contents: Type.Array(Frame) })

export const Receipt = Type.Object({
  format: Type.Literal('attestream.receipt.v1'),
  chainId: Type.Integer(),
  registry: HexBytes,
  settlement: HexBytes,
  projectId: Decimal,
  appletId: Hash,
  version: Type.Integer(),
  cohort: Type.Integer(),
  batchNumber: Decimal,
  payee: HexBytes,
  daPointer: Hash,
  devSetup: Type.Boolean(),
  journal: Type.Object({
    identityRoot: Decimal,
    ledgerBefore: Decimal,
    ledgerAfter: Decimal,
    batchRoot: Decimal,
    configHash: Decimal,
    deviceDomain: Decimal,
    anchorTime: Decimal,
    binding: Decimal,
    lanes: Type.Array(Decimal),
  }),
  seal: HexBytes,
})

export const Settlement = Type.Object({
  taskId: Hash,
  projectId: Decimal,
  cohort: Type.Integer(),
  batchNumber: Decimal,
  txHash: Hash,
  gasUsed: Decimal,
  units: Decimal,
  payee: HexBytes,
  settledMs: TimeMs,
})

export const Claim = Type.Object({
  deviceId: Decimal,
  owner: HexBytes,
  creditedUnits: Decimal,
  claimedUnits: Decimal,
  pendingUnits: Decimal,
  pendingWei: Decimal,
})

export const Health = Type.Object({
  ok: Type.Boolean(),
  chainId: Type.Integer(),
  blockNumber: nullable(Decimal),
  pendingFrames: Type.Integer(),
  openTasks: Type.Integer(),
  failedTasks: Type.Integer(),
  waiting: Type.Array(Type.Object({ code: Type.String(), message: Type.String(), tasks: Type.Integer() }), {
    description: 'What open tasks wait for: the chain, or somebody to act.',
  }),
  transactions: Type.Array(
    Type.Object({
      account: HexBytes,
      nonce: Type.Integer(),
      action: Type.String(),
      taskIds: Type.Array(HexBytes),
      txHash: HexBytes,
      attempts: Type.Integer(),
      sinceMs: Type.Integer(),
      trouble: nullable(Failure),
    }),
    { description: 'Transactions of the operator that do not count yet, and what holds them up.' },
  ),
})

export const Version = Type.Object({
  name: Type.String(),
  version: Type.String(),
  operator: HexBytes,
  chain: Type.Object({
    chainId: Type.Integer(),
    settlement: HexBytes,
    registry: HexBytes,
    applets: HexBytes,
  }),
})
