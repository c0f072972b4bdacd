// Which of two numbers a user has counts, when processes of one cell gave both.

import { expect, test } from 'vitest'
import { NameBook } from '../../../cells/activities/name-book.ts'
import { Claim } from '../../../cells/activities/claim.ts'
import { Persistence } from '../../../cells/activities/persist.ts'
import { CELL_LIMITS } from '../../../cells/model/cell-limits.ts'
import type { NamesKept } from '../../../cells/model/rows.ts'
import { userRef } from '../../../cells/model/user-key.ts'
import { MemoryCellStore } from '../../../infra/memory/cell-store.ts'
import { StandingClock } from './stage.ts'

const ann = userRef('ann')

/** A process of the cell, which has claimed the store and read its names. */
async function process(
  store: MemoryCellStore,
  boot: number,
  before?: NamesKept,
): Promise<NameBook> {
  const { signal } = new AbortController()
  const persistence = new Persistence({ clock: new StandingClock(), limits: CELL_LIMITS, signal })
  const claim = new Claim({ boot, table: store.checkpoints, persistence })
  await claim.make()
  const names = new NameBook({ table: store.names, persistence, claim, makeRoom: () => undefined })
  await names.load(before)
  return names
}

test('a name that lands when another process has read all names counts no more, though its number is greater', async () => {
  const store = new MemoryCellStore()
  const first = await process(store, 1)
  const early = first.numberOf(ann)
  const second = await process(store, 2)
  // The first one's name lands after the second has looked, and the third finds it.
  await store.names.put([{ number: early, key: ann.key, id: ann.id }])
  const third = await process(store, 3)
  expect(third.lookup(ann.key)).toBe(early)
  const checkpoint = third.kept
  // Then the second wakes up, which knows of no number.
  const late = second.numberOf(ann)
  expect(late).toBeGreaterThan(early)
  await expect(second.flush()).rejects.toThrow('taken over')
  expect((await store.names.get([late]))[0]?.id).toBe('ann')

  const fourth = await process(store, 4, checkpoint)
  expect(fourth.lookup(ann.key)).toBe(early)
  expect(fourth.kept.runs).toEqual([[early, early]])
})

test('of two that a successor finds the later one counts: it may be in use', async () => {
  const store = new MemoryCellStore()
  const first = await process(store, 1)
  const early = first.numberOf(ann)
  const second = await process(store, 2)
  const late = second.numberOf(ann)
  await second.flush()
  await store.names.put([{ number: early, key: ann.key, id: ann.id }])
  const third = await process(store, 3, second.kept)
  expect(third.lookup(ann.key)).toBe(late)
  const fourth = await process(store, 4, third.kept)
  expect(fourth.lookup(ann.key)).toBe(late)
})

test('names that a process gave after its checkpoint count for the next one', async () => {
  const store = new MemoryCellStore()
  const first = await process(store, 1)
  const { kept } = first
  const number = first.numberOf(ann)
  await first.flush()
  const second = await process(store, 2, kept)
  expect(second.lookup(ann.key)).toBe(number)
})

test('a process that was superseded takes no more numbers: its successor has taken them', async () => {
  const store = new MemoryCellStore()
  const first = await process(store, 1)
  for (let i = 0; first.hasRoomFor(1); i++) first.numberOf(userRef(`user-${i}`))
  const second = await process(store, 2)
  const number = second.numberOf(ann)
  await expect(first.reserve(1)).rejects.toThrow('taken over')
  expect(first.hasRoomFor(1)).toBe(false)
  expect(first.end).toBe(number)
})
