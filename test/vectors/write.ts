// Writes core.json from the reference: `npx tsx test/vectors/write.ts`.

import { writeFile } from 'node:fs/promises'
import { referenceVectors } from './reference.ts'

await writeFile(new URL('./core.json', import.meta.url), `${JSON.stringify(await referenceVectors(), null, 2)}\n`)
