// Some of the crashes of one seed; `make sim-crashes` goes through all of them.

import { setMaxListeners } from 'node:events'
import { expect, test } from 'vitest'
import { Cell } from '../../cells/activities/cell.ts'
import { VICTIMS, WAYS } from './crash-story.ts'
import { crashesOf } from './crashes.ts'

// Many activities of one cell wait with the signal that stops it.
setMaxListeners(1_000)

const SEED = 33
const EVERY = 30

test('a move comes to its end, and all promises hold, whoever dies meanwhile', async () => {
  const kinds = new Set<string>()
  let all = 0
  const makeCell = (...[ports, options]: ConstructorParameters<typeof Cell>) =>
    new Cell(ports, options)
  for await (const { way, victim, crashes, found } of crashesOf(SEED, { makeCell, every: EVERY })) {
    expect(found?.outcome.violation, `${way}, ${victim}, ${found?.nth}`).toBeUndefined()
    if (crashes > 0) kinds.add(`${way}, ${victim}`)
    all += crashes
  }
  expect(kinds.size).toBe(WAYS.length * VICTIMS.length)
  expect(all).toBeGreaterThan(30)
})
