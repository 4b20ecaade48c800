import { expect, it } from 'vitest'
import { attackTests } from '../attacks.ts'

const { tests, unlisted } = attackTests()

it.each([...tests])('attack %s of docs/attacks.md is tried by a test that names it', (_, names) => {
  expect(names).not.toEqual([])
})

it('every attack that a test names is in docs/attacks.md', () => {
  expect(unlisted).toEqual([])
})
