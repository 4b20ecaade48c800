// The README tells the truth: its commands exist, its links lead somewhere, its constraint figures are the compiler's.

import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { buildApplet } from '../../applets/build.ts'
import { compileApplet } from '../../circuits/compiler/index.ts'

const readme = readFileSync('README.md', 'utf8')
const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> }

describe('README', () => {
  const commands = [...readme.matchAll(/npm run (?:-s )?([a-z:]+)|npm (test)/g)].map((match) => match[1] ?? match[2]!)

  it.each([...new Set(commands)])('names the script %s, which exists', (name) => {
    expect(scripts[name]).toBeDefined()
  })

  it('has nothing left to fill in', () => expect(readme).not.toMatch(/@@/))

  it('has links to files that exist', () => {
    const targets = [...readme.matchAll(/\]\((?!http)([^)#]+)/g)].map((match) => match[1]!)
    expect(targets.length).toBeGreaterThan(5)
    expect(targets.filter((target) => !existsSync(target))).toEqual([])
  })

  it.each(['energy-meter', 'movement', 'uptime'])('tells the constraints of %s', async (name) => {
    const { stats } = compileApplet(await buildApplet(`applets/${name}.ts`))
    const row = readme.split('\n').find((line) => line.startsWith(`| [${name}]`))
    expect(row).toContain(`| ${stats.constraints} |`)
  })
})
