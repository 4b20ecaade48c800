// Compiles contracts/src with solc-js and keeps the result in build/contracts, keyed by everything it depends on: our sources,
// the packages they import and the compiler settings. `tsx contracts/build.ts` rewrites contracts/abi.ts, the committed typed
// ABI; a test regenerates it and compares.

import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Abi, Hex } from 'viem'
import { poseidonSource } from './poseidon.ts'

export interface Artifact {
  abi: Abi
  /** Creation code; places named in `links` hold placeholders. */
  bytecode: string
  /** Library name → byte offsets in the creation code where its address goes. */
  links: Record<string, number[]>
  runtimeBytes: number
  /** Code on chain: zeros where library addresses and immutable values go. */
  runtime: { code: string; links: Record<string, number[]>; immutables: { start: number; length: number }[] }
}

export type ReadSource = (importPath: string) => string
export type ContractName = (typeof CONTRACTS)[number]
export type Artifacts = Record<ContractName, Artifact>

const LIBRARIES = ['PoseidonT3', 'PoseidonT4'] as const
const OWN_CONTRACTS = [
  'ProjectRegistry',
  'AppletRegistry',
  'DeviceRegistry',
  'Groth16Verifier',
  'Settlement',
  'RewardToken',
] as const
const GOVERNANCE_CONTRACTS = ['AttestreamGovernor', 'TimelockController'] as const
/** Of the library's making: the IR pipeline would cost them seconds of compiling for nothing. */
const PLAIN_SOURCES = [
  'src/AttestreamGovernor.sol',
  'src/RewardToken.sol',
  '@openzeppelin/contracts/governance/TimelockController.sol',
]
const CONTRACTS = [...LIBRARIES, ...OWN_CONTRACTS, ...GOVERNANCE_CONTRACTS] as const

const require = createRequire(import.meta.url)
const SOURCE_DIR = fileURLToPath(new URL('./src/', import.meta.url))
const CACHE_DIR = fileURLToPath(new URL('../build/contracts/', import.meta.url))
const ABI_FILE = fileURLToPath(new URL('./abi.ts', import.meta.url))
const PACKAGES = ['solc', '@openzeppelin/contracts'] as const
/** Sources that contracts/poseidon.ts writes, by import path. */
const GENERATED: Readonly<Record<string, () => string>> = {
  'poseidon/PoseidonT3.sol': () => poseidonSource(2),
  'poseidon/PoseidonT4.sol': () => poseidonSource(3),
}

const OUTPUT = ['abi', 'evm.bytecode', 'evm.deployedBytecode']
const COMMON = { evmVersion: 'cancun', metadata: { bytecodeHash: 'none', appendCBOR: false } }
/** Our contracts need the IR pipeline: without it DeviceRegistry is too deep for the stack. */
const OWN_SETTINGS = { ...COMMON, viaIR: true, optimizer: { enabled: true, runs: 10_000 } }
/** Settlement is the largest: fewer copies of inlined code leave 3 kB of the 24 kB a contract may have, for less than 1 % of gas. */
const LARGE_SOURCE = 'src/Settlement.sol'
const LARGE_SETTINGS = { ...OWN_SETTINGS, optimizer: { enabled: true, runs: 1_000 } }
/** For what the library wrote (tokens, governance) and for the generated Poseidon, to which the IR pipeline adds nothing but time. */
const PLAIN_SETTINGS = { ...COMMON, viaIR: false, optimizer: { enabled: true, runs: 200 } }

/** All contracts, from the cache when nothing they depend on changed; otherwise compiles (seconds). Throws on any compiler error. */
export function contractArtifacts(): Artifacts {
  const file = join(CACHE_DIR, `${cacheKey()}.json`)
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Artifacts
  } catch {
    const artifacts = compileContracts()
    mkdirSync(CACHE_DIR, { recursive: true })
    writeFileSync(`${file}.${process.pid}`, JSON.stringify(artifacts))
    renameSync(`${file}.${process.pid}`, file)
    return artifacts
  }
}

/** Compiles everything now, cache or not; `read` gives the source of an import path and throws if it has none. */
export function compileContracts(read: ReadSource = sourceOf): Artifacts {
  const plain = [...LIBRARIES.map((name) => `poseidon/${name}.sol`), ...PLAIN_SOURCES]
  const own = ownSources().filter((path) => !PLAIN_SOURCES.includes(path) && path !== LARGE_SOURCE)
  const contracts = {
    ...compile(plain, PLAIN_SETTINGS, read),
    ...compile(own, OWN_SETTINGS, read),
    ...compile([LARGE_SOURCE], LARGE_SETTINGS, read),
  }
  return Object.fromEntries(CONTRACTS.map((name) => [name, artifactOf(contracts, name)])) as Artifacts
}

/** Creation code with library addresses filled in. Throws if one is missing. */
export function linkedBytecode(artifact: Artifact, libraries: Record<string, Hex>): Hex {
  let code = artifact.bytecode
  for (const [library, offsets] of Object.entries(artifact.links)) {
    const address = libraries[library]
    if (!address) throw new Error(`linking needs the address of ${library}; deploy it first`)
    for (const offset of offsets) {
      code = code.slice(0, 2 * offset) + address.slice(2).toLowerCase() + code.slice(2 * offset + 40)
    }
  }
  return `0x${code}`
}

/** Text of contracts/abi.ts: one `as const` ABI per contract and one with each error of what the engine calls, to decode reverts. */
export function renderAbi(artifacts: Artifacts): string {
  const constants = [...OWN_CONTRACTS, ...GOVERNANCE_CONTRACTS].map((name) =>
    renderConstant(`${lowerFirst(name)}Abi`, artifacts[name].abi),
  )
  const errors = new Map<string, Abi[number]>()
  for (const name of OWN_CONTRACTS) {
    for (const item of artifacts[name].abi) if (item.type === 'error') errors.set(JSON.stringify(item), item)
  }
  const header = '// Generated by `tsx contracts/build.ts` from contracts/src; a test compares. Do not edit.\n'
  return [header, ...constants, renderConstant('errorsAbi', [...errors.values()])].join('\n')
}

interface SolcOutput {
  errors?: { severity: string; formattedMessage: string }[]
  contracts: Record<string, Record<string, SolcContract>>
}

interface SolcContract {
  abi: Abi
  evm: {
    bytecode: SolcCode
    deployedBytecode: SolcCode & { immutableReferences?: Record<string, { start: number; length: number }[]> }
  }
}

interface SolcCode {
  object: string
  linkReferences: Record<string, Record<string, { start: number }[]>>
}

/** One run of solc; returns code for the contracts of `paths` alone, by name. */
function compile(paths: string[], settings: object, read: ReadSource): Record<string, SolcContract> {
  const solc = require('solc') as { compile(input: string, callbacks: object): string }
  const input = {
    language: 'Solidity',
    sources: Object.fromEntries(paths.map((path) => [path, { content: read(path) }])),
    settings: {
      ...settings,
      outputSelection: Object.fromEntries(paths.map((path) => [path, { '*': OUTPUT }])),
    },
  }
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: importer(read) })) as SolcOutput
  const problems = (output.errors ?? []).filter((problem) => problem.severity === 'error')
  if (problems.length > 0) throw new Error(problems.map((problem) => problem.formattedMessage).join('\n'))
  return Object.assign({}, ...Object.values(output.contracts)) as Record<string, SolcContract>
}

function artifactOf(contracts: Record<string, SolcContract>, name: ContractName): Artifact {
  const found = contracts[name]
  if (!found) throw new Error(`the compiler returned no ${name}`)
  const { bytecode, deployedBytecode } = found.evm
  const runtime = {
    code: deployedBytecode.object,
    links: linksOf(deployedBytecode),
    immutables: Object.values(deployedBytecode.immutableReferences ?? {}).flat(),
  }
  const runtimeBytes = runtime.code.length / 2
  return { abi: found.abi, bytecode: bytecode.object, links: linksOf(bytecode), runtimeBytes, runtime }
}

function linksOf(code: SolcCode): Record<string, number[]> {
  const links: Record<string, number[]> = {}
  for (const file of Object.values(code.linkReferences)) {
    for (const [library, places] of Object.entries(file)) links[library] = places.map((place) => place.start)
  }
  return links
}

/** What solc-js asks for imports with. */
export function importer(read: ReadSource) {
  return (path: string): { contents: string } | { error: string } => {
    try {
      return { contents: read(path) }
    } catch (error) {
      return { error: `${path} cannot be read: ${String(error)}` }
    }
  }
}

/** Import paths of contracts/src. */
export function ownSources(): string[] {
  return sourceFiles().map((file) => `src/${file}`)
}

/** Source of an import path: ours, a generated one or one of a package. Throws if there is none. */
export function sourceOf(path: string): string {
  return GENERATED[path]?.() ?? readSource(sourcePath(path))
}

function sourcePath(path: string): string {
  return path.startsWith('src/') ? join(SOURCE_DIR, path.slice(4)) : join(packageRoot(path), path)
}

/** The node_modules folder that holds the package an import path starts with. */
function packageRoot(path: string): string {
  const name = PACKAGES.find((candidate) => path.startsWith(`${candidate}/`))
  if (!name) throw new Error(`not one of ${PACKAGES.join(', ')}`)
  return join(dirname(require.resolve(`${name}/package.json`)), ...name.split('/').map(() => '..'))
}

function cacheKey(): string {
  const hash = createHash('sha256').update(readSource(fileURLToPath(import.meta.url)))
  for (const [path, source] of Object.entries(GENERATED)) hash.update(`${path}\n`).update(source())
  for (const name of PACKAGES) hash.update(readFileSync(require.resolve(`${name}/package.json`)))
  for (const file of sourceFiles()) hash.update(`${file}\n`).update(readSource(join(SOURCE_DIR, file)))
  return hash.digest('hex').slice(0, 32)
}

function sourceFiles(): string[] {
  return readdirSync(SOURCE_DIR)
    .filter((file) => file.endsWith('.sol'))
    .sort()
}

function readSource(file: string): string {
  return readFileSync(file, 'utf8')
}

function renderConstant(name: string, abi: Abi | Abi[number][]): string {
  const lines = abi.map((item) => `  ${JSON.stringify(item)},`)
  return `// prettier-ignore\nexport const ${name} = [\n${lines.join('\n')}\n] as const\n`
}

function lowerFirst(name: string): string {
  return name[0]!.toLowerCase() + name.slice(1)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(ABI_FILE, renderAbi(contractArtifacts()))
  process.stdout.write(`wrote ${ABI_FILE}\n`)
}
