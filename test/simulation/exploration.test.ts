// Moves are explored to the end, as they are and with each planted mistake: docs/invariants.md 1, 4, 5 and 6, as exploration/checks.ts
// has them. `make explore` does it with more crashes.

import { expect, test } from 'vitest'
import type { Bug } from '../exploration/bugs.ts'
import type { Rules } from '../exploration/cluster.ts'
import { explore } from '../exploration/explore.ts'
import { SMALL_RUNS } from '../exploration/runs.ts'

const { move, crash, standby, standbyCrash, lateDrops } = SMALL_RUNS

test.for(Object.entries({ move, standby, lateDrops }))(
  'one owner, who shows all that belongs and can lose nothing, and every move can end: %s',
  ([, rules]) => {
    const { violation, states, atRest } = explore(rules)
    expect(violation).toBe(undefined)
    expect(states).toBeGreaterThan(10_000)
    expect(atRest).toBeGreaterThan(10)
  },
)

type Found = { readonly in: Rules; readonly what: string; readonly steps: number }

/** The least that has to happen, and the fewest steps to what must not be. */
const FOUND: Readonly<Record<Bug, Found>> = {
  'position-after-copy': { in: move, what: 'B leaves out what belongs', steps: 20 },
  'one-partition-forgotten': { in: move, what: 'B leaves out what belongs', steps: 18 },
  'replayed-after-attached': { in: move, what: 'B leaves out what belongs', steps: 17 },
  'cut-before-checkpoint': { in: move, what: 'B owns what no checkpoint of it names', steps: 15 },
  'cut-behind-source': { in: move, what: 'B takes over behind what A has shown', steps: 17 },
  'recovering-counts': { in: crash, what: 'B takes over behind what A has shown', steps: 19 },
  'cut-to-nothing': { in: crash, what: 'B owns what no checkpoint of it names', steps: 20 },
  'living-source-left': {
    in: standby,
    what: 'B takes over from a cell that was never down',
    steps: 18,
  },
  'lost-unseen': { in: standbyCrash, what: 'it can never come to rest', steps: 15 },
  'log-end-unread': { in: standbyCrash, what: 'B takes over behind what A has shown', steps: 18 },
  'back-to-nothing': { in: crash, what: 'A owns what no checkpoint of it names', steps: 23 },
  'back-behind-target': { in: move, what: 'A takes over behind what B has shown', steps: 21 },
  'retired-too-early': { in: move, what: 'B does not know that it owns', steps: 18 },
  'term-reused': { in: lateDrops, what: 'B owns what its store does not hold', steps: 23 },
  'revision-ignored': { in: move, what: 'an epoch does not grow', steps: 17 },
  'epoch-ignored': { in: move, what: 'A answers for what B owns', steps: 16 },
  'copies-kept': { in: move, what: 'it can never come to rest', steps: 1 },
}

test.for(Object.entries(FOUND))('found: %s', ([name, found]) => {
  const bug = name as Bug
  const { violation } = explore({ ...found.in, bug })
  expect(violation?.what).toBe(found.what)
  expect(violation?.way.length).toBe(found.steps)
})
