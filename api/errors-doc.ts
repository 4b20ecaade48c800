// docs/errors.md, written from the one table of codes and the API's table of statuses and remedies:
// `npx tsx api/errors-doc.ts` writes it, `npx tsx api/errors-doc.ts --check` fails if it is not current (a test does the same).

import { readFile, writeFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { ERRORS, type ErrorCode } from '../engine/index.ts'
import { ERROR_TABLE } from './error-table.ts'

const FILE = new URL('../docs/errors.md', import.meta.url)

/** The whole text of docs/errors.md, codes in alphabetical order. */
export function errorsDocument(): string {
  const rows = (Object.keys(ERRORS) as ErrorCode[]).sort().map((code) => {
    const [status, remedy] = ERROR_TABLE[code]
    return `| \`${code}\` | ${status} | ${cell(ERRORS[code])} | ${cell(remedy)} |`
  })
  return `${INTRODUCTION}\n| code | HTTP | meaning | what to do |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`
}

const INTRODUCTION = `# Errors

Every failure has a stable code. Over HTTP it is the body \`{ "error": { "code", "message", "details", "requestId" } }\` with the status
below; \`details\` may be absent, and \`requestId\` finds the request in the engine's log. In TypeScript it is an \`AttestreamError\` with
\`code\`, \`message\` and \`details\`. Messages may change, codes do not. Codes with status 500 are the engine's or its operator's to mend.

This page is written by \`npx tsx api/errors-doc.ts\` from \`engine/core/errors.ts\` and \`api/error-table.ts\`.
`

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}

async function run(check: boolean): Promise<void> {
  if (!check) return writeFile(FILE, errorsDocument())
  if ((await readFile(FILE, 'utf8')) === errorsDocument()) return
  console.error('docs/errors.md is not current; write it with: npx tsx api/errors-doc.ts')
  process.exitCode = 1
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await run(process.argv.includes('--check'))
