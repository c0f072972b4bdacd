// The router: finds a user's cell, follows moves, and goes on when it can not learn anything new.

import { expect, test } from 'vitest'
import { firstPlacement, slotOf } from '../../../../cells/model/placement.ts'
import { userKey } from '../../../../cells/model/user-key.ts'
import type { CellClient } from '../../../../cells/ports/cell-client.ts'
import { MemoryControlStore } from '../../../../infra/memory/control-store.ts'
import { OtherCells, placementFor } from '../../../../services/controller/first-placement.ts'
import { nextBoot } from '../../../../services/controller/boots.ts'
import {
  decodePlacement,
  encodePlacement,
  PLACEMENT_KEY,
} from '../../../../services/router/placement-document.ts'
import { followPlacement, Router } from '../../../../services/router/router.ts'

const SLOTS = 16
const placement = firstPlacement(['cell-1', 'cell-2'], SLOTS)
const client = (cell: string) => ({ cell }) as CellClient
const users = Array.from({ length: 200 }, (_, index) => userKey(`user-${index}`))
const clock = { nowMs: () => 0, sleep: () => Promise.resolve(), yield: () => Promise.resolve() }

test('every user has the owner of their slot', () => {
  const router = new Router(placement, client)
  for (const user of users) {
    const expected = slotOf(user, SLOTS) < SLOTS / 2 ? 'cell-1' : 'cell-2'
    expect(router.cellOf(user).cell).toBe(expected)
  }
})

test('a cell that does not serve fails only its own users', () => {
  const router = new Router(placement, (cell) => (cell === 'cell-1' ? undefined : client(cell)))
  const [lost] = users.filter((user) => slotOf(user, SLOTS) < SLOTS / 2)
  const [kept] = users.filter((user) => slotOf(user, SLOTS) >= SLOTS / 2)
  if (lost === undefined || kept === undefined) throw new Error('no users')
  expect(() => router.cellOf(lost)).toThrow(expect.objectContaining({ code: 'CELL_UNAVAILABLE' }))
  expect(router.cellOf(kept).cell).toBe('cell-2')
  expect(router.anyCell().cell).toBe('cell-2')
  expect(() => router.cells()).toThrow(expect.objectContaining({ code: 'CELL_UNAVAILABLE' }))
})

test('what a cell tells of a move counts until a placement as new as that', () => {
  const router = new Router(placement, client)
  const user = userKey('user-1')
  const slot = slotOf(user, SLOTS)
  router.moved(user, { cell: 'cell-9', epoch: 3, slot })
  expect(router.cellOf(user).cell).toBe('cell-9')
  router.moved(user, { cell: 'cell-8', epoch: 2, slot })
  expect(router.cellOf(user).cell).toBe('cell-9')
  router.take({ ...placement, epoch: 2 })
  expect(router.cellOf(user).cell).toBe('cell-9')
  router.take({ ...placement, epoch: 3 })
  expect(router.cellOf(user).cell).not.toBe('cell-9')
})

test('an older placement changes nothing', () => {
  const router = new Router({ ...placement, epoch: 5 }, client)
  router.take({ ...firstPlacement(['cell-3'], SLOTS), epoch: 4 })
  expect(router.placement.epoch).toBe(5)
})

test('a new placement arrives by watching, also after the control store failed', async () => {
  const control = new MemoryControlStore()
  const document = await placementFor(control, 2)
  const router = new Router(document.placement, client)
  const stopping = new AbortController()
  const failures: unknown[] = []
  let brokenReads = 3
  const flaky = {
    get: (key: string) =>
      brokenReads-- > 0 ? Promise.reject(new Error('down')) : control.get(key),
    compareAndSet: control.compareAndSet.bind(control),
    watch: control.watch.bind(control),
  }
  const following = followPlacement(
    { control: flaky, router, clock },
    { signal: stopping.signal, failed: (error) => failures.push(error) },
  )
  const next = { ...document, placement: { ...document.placement, epoch: 2 } }
  await control.compareAndSet(PLACEMENT_KEY, 1, encodePlacement(next))
  await expect.poll(() => router.placement.epoch).toBe(2)
  stopping.abort()
  await following
  expect(failures).toHaveLength(3)
})

test('a placement survives its document, and one with a hole is refused', () => {
  const document = { clusterId: 7n, placement }
  expect(decodePlacement(encodePlacement(document))).toEqual(document)
  const [first, last] = placement.ranges
  if (first === undefined || last === undefined) throw new Error('no ranges')
  const holed = { ...placement, ranges: [first, { ...last, first: last.first + 1 }] }
  expect(() => decodePlacement(encodePlacement({ clusterId: 7n, placement: holed }))).toThrow(
    'to nobody',
  )
})

test('of several that make the first placement one wins, and the others take it', async () => {
  const control = new MemoryControlStore()
  const made = await Promise.all(Array.from({ length: 5 }, () => placementFor(control, 2)))
  expect(new Set(made.map(({ clusterId }) => clusterId)).size).toBe(1)
  await expect(placementFor(control, 1)).rejects.toThrow(OtherCells)
})

test('boot numbers are never given twice', async () => {
  const control = new MemoryControlStore()
  const boots = await Promise.all(Array.from({ length: 20 }, () => nextBoot(control)))
  expect(new Set(boots).size).toBe(20)
})
