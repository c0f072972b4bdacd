// A cell that is asked before it has heard that it owns a slot believes its caller, but only of what the caller can know.

import { expect, test } from 'vitest'
import type { CellParts } from '../../../cells/activities/cell-parts.ts'
import { CellState } from '../../../cells/activities/cell-state.ts'
import { Gate } from '../../../cells/activities/gate.ts'
import type { Readiness } from '../../../cells/activities/readiness.ts'
import { CELL_LIMITS } from '../../../cells/model/cell-limits.ts'
import {
  ANY_EPOCH,
  firstPlacement,
  type Placement,
  slotOf,
} from '../../../cells/model/placement.ts'
import { type UserKey, userKey } from '../../../cells/model/user-key.ts'

const SLOTS = 4
const first = firstPlacement(['a', 'b'], SLOTS)

/** Somebody whose slot is cell b's, by their id. */
function livingAtB(nth: number): UserKey {
  const users = Array.from({ length: 100 }, (_, i) => userKey(`user-${i}`))
  const user = users.filter((key) => slotOf(key, SLOTS) === 3)[nth]
  if (user === undefined) throw new Error('nobody')
  return user
}
const [alice, carol] = [livingAtB(0), livingAtB(1)]

/** Carol has a slot of her own, with cell b like the one that she came from. */
const placement: Placement = {
  ...first,
  epoch: 10,
  pins: [{ user: carol, slot: SLOTS, term: 5 }],
  ranges: [...first.ranges, { first: SLOTS, last: SLOTS, cell: 'b', term: 5 }],
}

/** Cell a, which holds copies of both of these slots. */
function copiesAtA(): { readonly state: CellState; readonly gate: Gate } {
  const state = new CellState({
    cell: 'a',
    placement,
    limits: CELL_LIMITS,
    partitions: 1,
    nowMs: 0,
  })
  for (const slot of [3, SLOTS]) state.keep({ slot, term: 9 })
  const gate = new Gate({
    state,
    readiness: { isReady: () => true } as unknown as Readiness,
    clock: { nowMs: () => 0 },
    parts: () => ({ names: { lookup: () => 0 } }) as unknown as CellParts,
  })
  return { state, gate }
}

/** It answers a caller that knows this epoch and does not wait. */
async function answerFor(user: UserKey, epoch: number): Promise<string> {
  const call = { viewer: user, epoch, seen: [0], signal: AbortSignal.abort() }
  return (await copiesAtA().gate.inSlot(call, () => Promise.resolve('shown'))).kind
}

test('who knows a newer placement is answered from a copy', async () => {
  expect(await answerFor(alice, 10)).toBe('moved')
  expect(await answerFor(alice, 11)).toBe('ok')
})

test('a user with a slot of their own is not: the caller may know only of the slot before', async () => {
  expect(await answerFor(carol, 10)).toBe('moved')
  expect(await answerFor(carol, 11)).toBe('late')
})

test('who asks for copies gets them', async () => {
  expect(await answerFor(alice, ANY_EPOCH)).toBe('ok')
  expect(await answerFor(carol, ANY_EPOCH)).toBe('ok')
})

test('who compares copies reads in nobody’s place', async () => {
  const { state, gate } = copiesAtA()
  const read = (epoch: number) => {
    const call = { viewer: alice, epoch, seen: [0], signal: AbortSignal.abort() }
    return gate.inSlot(call, (_viewer, { slot }) => Promise.resolve(slot), { isVital: true })
  }
  expect(await read(ANY_EPOCH)).toMatchObject({ kind: 'ok', value: 3 })
  expect(state.vitals.of(0).reads).toBe(0)
  await read(11)
  expect(state.vitals.of(0).reads).toBeGreaterThan(0)
})
