// Every planted bug still has its place in the cell's source: when the cell changes, its mutants change with it.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { MUTANTS } from '../../simulation/mutant-list.ts'

const root = join(import.meta.dirname, '../../..')

test.each(MUTANTS)('$name: $bug', ({ file, old, new: planted }) => {
  const source = existsSync(join(root, file)) ? readFileSync(join(root, file), 'utf8') : ''
  expect(source.split(old)).toHaveLength(2)
  expect(planted).not.toBe(old)
})

test('there are more than twenty, each with a name of its own', () => {
  expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length)
  expect(MUTANTS.length).toBeGreaterThan(20)
})
