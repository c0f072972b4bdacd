// Each three moves of a drill lose the controller, the source and the target, and one of them is taken back.

import { expect, test } from 'vitest'
import { type MovePlan, planRound } from '../../drill/round/round-plan.ts'

const drawn = (standbyEvery: number, rounds: number) =>
  Array.from({ length: rounds }, (_, at) =>
    planRound({ seed: 7, awayMsMax: 1_000, standbyEvery }, at + 1),
  )
const movesOf = (plans: ReturnType<typeof drawn>) =>
  plans.filter((plan): plan is MovePlan => plan.kind === 'move')

test.for([Number.POSITIVE_INFINITY, 4])('with standbys in each of %s rounds', (standbyEvery) => {
  const plans = drawn(standbyEvery, 48)
  const moves = movesOf(plans)
  expect(plans.length - moves.length).toBe(Math.floor(48 / standbyEvery))
  for (let at = 0; at < moves.length; at += 3) {
    const three = moves.slice(at, at + 3)
    expect(three.map(({ kill }) => kill.role).sort()).toEqual(['controller', 'source', 'target'])
    expect(three.filter(({ takeBack }) => takeBack !== undefined)).toHaveLength(1)
    expect(new Set(three.map(({ to }) => to))).toEqual(new Set([`cell-${3 + at / 3}`]))
  }
})

test('a round is drawn from the seed and its number alone', () => {
  expect(drawn(4, 20)).toEqual(drawn(4, 20))
})
