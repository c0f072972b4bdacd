// Slots that arrive in a cell: a copy that is broken off is gone on with.

import { expect, test } from 'vitest'
import { advance, type MoveEvent, planMove } from '../../../cells/model/move.ts'
import { firstPlacement, type Placement } from '../../../cells/model/placement.ts'
import type { SlotSource } from '../../../cells/ports/slot-source.ts'
import { MemoryFirehose } from '../../../infra/memory/firehose.ts'
import { MemoryPlacements } from '../../../infra/memory/placements.ts'
import { type Neighbourhood, SECOND, Stage, StandingClock, START_MS, until } from './stage.ts'

const READERS = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace', 'heidi']
const SLOTS = 8

/** Two cells, the first of which has all slots; and what was read of its chunks. */
async function twoCells() {
  const clock = new StandingClock()
  const firehose = new MemoryFirehose({ clock, logId: 'log', partitionsPerTopic: 2 })
  const placement = { ...firstPlacement(['a'], SLOTS), cells: ['a', 'b'] }
  const moving = new MemoryPlacements(placement)
  const near: Omit<Neighbourhood, 'name'> = { clock, firehose, moving, placement }
  const source = new Stage({}, { ...near, name: 'a' })
  const target = new Stage({}, { ...near, name: 'b' })
  await source.create(1).start()
  await target.create(2).start()
  return { clock, moving, source, target }
}

async function change(
  moving: MemoryPlacements,
  to: (placement: Placement) => Placement | { readonly refused: string },
): Promise<Placement> {
  const { placement, revision } = await moving.read()
  const next = to(placement)
  if ('refused' in next) throw new Error(next.refused)
  expect(await moving.replace(revision, next)).toBe(true)
  return next
}

/** A store whose chunks are read slot by slot: those beyond the first `slotsMax` never come. */
function watched(store: SlotSource, slotsMax: number) {
  const read = new Set<number>()
  const inbox: SlotSource['inbox'] = {
    generations: () => store.inbox.generations(),
    async *chunksOf(at, month) {
      if (!read.has(at.slot) && read.size === slotsMax) await new Promise(() => {})
      read.add(at.slot)
      yield* store.inbox.chunksOf(at, month)
    },
  }
  const source: SlotSource = {
    checkpoints: store.checkpoints,
    names: store.names,
    authors: store.authors,
    readers: store.readers,
    inbox,
  }
  return { read, source }
}

test('a target that dies while it copies goes on where it was, and its dashboards are whole', async () => {
  const { clock, moving, source, target } = await twoCells()
  for (const reader of READERS) {
    await source.follow(reader, 'zoe')
    await source.publish(reader, 'mine')
  }
  await source.publish('zoe', 'first')
  await source.deliver()
  await source.checkpoint()

  const run = [{ first: 0, last: SLOTS - 1 }]
  const planned = await change(moving, (placement) =>
    planMove(placement, { slots: run, to: 'b' }, START_MS),
  )
  const move = planned.moves[0]?.id ?? 0
  const next = (event: MoveEvent) =>
    change(moving, (placement) => advance(placement, move, event, START_MS))
  await until(async () => (await source.cell.slots()).prepared.includes(move))

  const firstTry = watched(source.store, 3)
  moving.addSource('a', firstTry.source)
  await next({ kind: 'prepared' })
  const marksOf = async () =>
    (await target.store.readers.reach()).filter((r) => r.version.count === 2)
  await until(async () => (await marksOf()).length === 3)
  target.crash()

  // What is written into inboxes meanwhile is not in the chunks that are here.
  await source.publish('zoe', 'second')
  await source.deliver()
  await source.checkpoint()

  const secondTry = watched(source.store, SLOTS)
  moving.addSource('a', secondTry.source)
  await target.create(3).start()
  await until(async () => (await target.cell.slots()).arrived.length === 1)
  expect(firstTry.read.size).toBe(3)
  expect(secondTry.read.size).toBe(SLOTS - 3)
  expect([...secondTry.read].some((slot) => firstTry.read.has(slot))).toBe(false)

  const { arrived } = await target.cell.slots()
  await next({ kind: 'copied', term: arrived[0]?.term ?? 0 })
  await next({ kind: 'verified' })
  await next({ kind: 'cut-over', isTakeover: false })
  clock.advance(SECOND)
  for (const reader of READERS) {
    await until(
      async () =>
        (
          await target.cell.dashboard(target.call(reader), {
            limit: 9,
            from: undefined,
            countUnreadTo: undefined,
          })
        ).kind === 'ok',
    )
    expect(await target.dashboard(reader)).toEqual(['zoe:second', 'zoe:first', `${reader}:mine`])
  }
})
