// `applet audit`: what is claimed of a circuit, against what its WASM gives when everything is built again.

import { InvalidArgumentError, type Command } from 'commander'
import { auditCircuit, type AuditCheck, type AuditFiles, type AuditGap } from '../../circuits/audit.ts'
import { readPublishedVersion } from '../../engine/chain/published-version.ts'
import { parseAppletAbi } from '../../engine/core/applet.ts'
import { expectedPin, type CircuitManifest } from '../../engine/core/circuit.ts'
import type { Hex } from '../../engine/core/codec.ts'
import { AttestreamError } from '../../engine/index.ts'
import { createProgress } from '../progress.ts'
import { paint, printJson } from '../table.ts'
import { examine, examineCommand, integer, type Outcome } from './command.ts'
import { loadManifest } from './manifest.ts'
import { loadApplet } from './source.ts'

interface AuditFlags {
  readonly manifest: string
  readonly cohort?: number
  readonly frame?: number
  readonly zkey?: string
  readonly ptau?: string
  readonly ptauHash?: string
  readonly seed?: string
  readonly rpc?: string
  readonly registry?: Hex
  readonly project?: bigint
  readonly pinned?: number
  readonly json: boolean
}

const EXIT_STATUS = `
Exit status: 0 all is as claimed, 1 something differs, 2 used wrongly, 3 nothing differs but the key is not checked:
  the manifest alone does not tie it to the circuit. A key takes --zkey and --ptau, a development key --zkey and --seed.`

export function auditCommand(): Command {
  return examineCommand(
    'audit',
    'Build everything again from the WASM and compare it with what is claimed',
    'attestream applet audit energy-meter.wasm --manifest http://127.0.0.1:8080 --cohort 4 --frame 4',
  )
    .argument('<applet>', 'WASM x.wasm or source x.ts')
    .requiredOption('--manifest <place>', 'manifest.json, the directory of a build, or the URL of an engine')
    .option('--cohort <D>', "choose among an engine's circuits", integer(4, 64))
    .option('--frame <R>', 'the same', integer(1, 64))
    .option('--zkey <file>', "proving key; of a build's directory it is taken by itself")
    .option('--ptau <file>', 'powers of tau that the key was made from')
    .option('--ptau-hash <blake2b>', 'BLAKE2b-512 that they must have, if they are not of the known ceremony')
    .option('--seed <text>', 'seed of a development key, to make it again')
    .option('--rpc <url>', 'JSON-RPC URL of the chain, to compare with what its registry pins')
    .option('--registry <address>', 'the AppletRegistry')
    .option('--project <id>', 'project that published the applet', wholeNumber)
    .option(
      '--pinned <n>',
      "version of the applet in the registry; default: the project's active one",
      integer(1, 2 ** 32),
    )
    .option('--json', 'print JSON', false)
    .addHelpText('after', EXIT_STATUS)
    .action(examine(audit))
}

async function audit(path: string, flags: AuditFlags): Promise<Outcome> {
  const progress = createProgress()
  const { wasm, appletId } = await loadApplet(path, progress)
  const { manifest, ...beside } = await loadManifest(flags.manifest, appletId, flags)
  const files: AuditFiles = { ...beside, ...given(flags) }
  const { checks, incomplete, notes } = await auditCircuit(wasm, manifest, files, (text) => progress.step(text))
  const all = [...checks, ...(await auditPin(wasm, manifest, flags))]
  progress.end()
  const differs = all.some((check) => !check.passed)
  const outcome = differs ? false : incomplete.length === 0 || 'incomplete'
  if (flags.json) {
    const { cohortSize, frameSize } = manifest
    const gaps = incomplete.map(({ what }) => what)
    printJson({ appletId, cohortSize, frameSize, passed: outcome === true, incomplete: gaps, checks: all, notes })
    return outcome
  }
  all.forEach(printCheck)
  for (const { what } of incomplete) console.log(`  ${paint('yellow', '?')} ${what}: not checked`)
  for (const note of notes) console.log(`  ${paint('yellow', '!')} ${note}`)
  console.log(summary(all, incomplete))
  return outcome
}

function summary(checks: readonly AuditCheck[], incomplete: readonly AuditGap[]): string {
  const failed = checks.filter(({ passed }) => !passed).length
  const options = incomplete.map(({ needs }) => `--${needs}`).join(' and ')
  const unchecked = `the key is NOT checked: nothing ties it to this circuit; give ${options}`
  if (failed > 0) return `${failed} of ${checks.length} checks failed${options && `; ${unchecked}`}.`
  return options ? `${checks.length} checks passed; ${unchecked}.` : `All ${checks.length} checks passed.`
}

function given({ zkey, ptau, ptauHash, seed }: AuditFlags): AuditFiles {
  return {
    ...(zkey ? { zkey } : {}),
    ...(ptau ? { ptau } : {}),
    ...(ptauHash ? { ptauHash } : {}),
    ...(seed ? { seed } : {}),
  }
}

/** What the registry pins, field by field, against the manifest and the applet's interface. */
async function auditPin(wasm: Uint8Array, manifest: CircuitManifest, flags: AuditFlags): Promise<AuditCheck[]> {
  const { rpc, registry, project, pinned } = flags
  if (rpc === undefined && registry === undefined && project === undefined) return []
  if (rpc === undefined || registry === undefined || project === undefined) {
    throw new AttestreamError('INPUT_INVALID', '--rpc, --registry and --project go together; one of them is missing.')
  }
  const version = await readPublishedVersion(rpc, registry, project, pinned)
  const expected = expectedPin(manifest, parseAppletAbi(wasm))
  return (Object.keys(expected) as (keyof typeof expected)[]).map((field) => {
    const [wanted, came] = [String(expected[field]), String(version[field])]
    const what = `version ${version.version} on chain: ${field}`
    return { what, passed: wanted.toLowerCase() === came.toLowerCase(), expected: wanted, came }
  })
}

function printCheck({ what, passed, expected, came }: AuditCheck): void {
  const short = (text: string) => (text.length > 100 ? `${text.slice(0, 98)}…` : text)
  if (passed) console.log(`  ${paint('green', '✓')} ${what}: ${short(expected)}`)
  else console.log(paint('red', `  ✗ ${what}: expected ${short(expected)}, came ${short(came)}`))
}

function wholeNumber(text: string): bigint {
  if (/^\d{1,20}$/.test(text)) return BigInt(text)
  throw new InvalidArgumentError('Expected a whole number.')
}
