// A short simulation: some tens of seeds, one after the other in this process. `make sim SEEDS=5000` is the long one.

import { setMaxListeners } from 'node:events'
import { expect, test } from 'vitest'
import { Cell } from '../../cells/activities/cell.ts'
import type { MakeCell } from './simulated-cell.ts'
import { simulate } from './simulate.ts'

// Many activities of one cell wait with the signal that stops it.
setMaxListeners(1_000)

const makeCell: MakeCell = (ports, options) => new Cell(ports, options)
const SEEDS = Array.from({ length: 50 }, (_, i) => i + 1)

test.each(SEEDS)('all promises hold whatever happens: seed %i', async (seed) => {
  const { violation } = await simulate(seed, { makeCell })
  expect(violation, `make sim SEED=${seed}`).toBeUndefined()
})

test('a seed is one run: the same trace twice', async () => {
  const [first, second] = [await simulate(7, { makeCell }), await simulate(7, { makeCell })]
  expect(second.trace.digest).toBe(first.trace.digest)
  expect(second.trace.count).toBe(first.trace.count)
})
