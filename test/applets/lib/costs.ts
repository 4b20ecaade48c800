// Measures every function of the applet library and writes its constraints into docs/applet-library.md; prints what changed.
// npx tsx test/applets/lib/costs.ts && npx prettier --write docs/applet-library.md

import { CASES } from './cases/index.ts'
import { documentedCosts, writeCosts } from './documented.ts'
import { buildCases } from './harness.ts'

const before = documentedCosts()
const costs = new Map(buildCases(CASES).map(({ test, cost }) => [test.name, cost]))
for (const [name, cost] of costs)
  if (before.get(name) !== cost) console.log(`${before.get(name) ?? 'no row'} → ${cost}  ${name}`)
writeCosts(costs)
