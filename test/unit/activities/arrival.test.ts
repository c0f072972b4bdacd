// Slots that arrive in a cell: a copy that is broken off is gone on with; what did not come with it is pulled, or found otherwise.

import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { userRef } from '../../../cells/model/user-key.ts'
import type { WatchItem } from '../../../cells/ports/cell-client.ts'
import type { SlotSource } from '../../../cells/ports/slot-source.ts'
import { DELIVERY_POLICY } from '../../../cells/model/delivery-policy.ts'
import { gate, HOUR, ok, SECOND, until } from './stage.ts'
import { TwoCells } from './two-cells.ts'

const READERS = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace', 'heidi']
const SLOTS = 8

/** A store whose chunks are read slot by slot when it is open: those beyond the first `slotsMax` never come. */
function watched(store: SlotSource, slotsMax: number, opened = Promise.resolve()) {
  const read = new Set<number>()
  const inbox: SlotSource['inbox'] = {
    generations: async () => {
      await opened
      return store.inbox.generations()
    },
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
  const cells = await TwoCells.start(SLOTS)
  const { moving, source, target } = cells
  for (const reader of READERS) {
    await source.follow(reader, 'zoe')
    await source.publish(reader, 'mine')
  }
  await source.publish('zoe', 'first')
  await source.deliver()
  await source.checkpoint()
  await cells.plan()
  const before = watched(source.store, 3)
  moving.addSource('a', before.source)
  await cells.advance({ kind: 'prepared' })
  const isWhole = (row: { readonly version: { readonly count: number } }) => row.version.count === 2
  await until(async () => (await target.store.readers.reach()).filter(isWhole).length === 3)
  target.crash()

  // What is written into inboxes meanwhile is not in the chunks that are here.
  await source.publish('zoe', 'second')
  await source.deliver()
  await source.checkpoint()
  const inboxes = gate()
  const after = watched(source.store, SLOTS, inboxes.opened)
  moving.addSource('a', after.source)
  await target.create(3).start()
  // It knows exactly what of its window the source has written meanwhile.
  await target.checkpoint()
  inboxes.open()
  await cells.arrived()
  expect(before.read.size).toBe(3)
  expect(after.read.size).toBe(SLOTS - 3)
  expect([...after.read].some((slot) => before.read.has(slot))).toBe(false)

  await cells.cutOver()
  // Now that also goes into inboxes, and leaves the window.
  await target.deliver()
  for (const reader of READERS) {
    expect(await target.dashboard(reader)).toEqual(['zoe:second', 'zoe:first', `${reader}:mine`])
  }
})

test('followers who came with a slot are listed before the index has them', async () => {
  const cells = await TwoCells.start(1)
  const { source, target } = cells
  for (const reader of READERS) await source.follow(reader, 'zoe')
  await source.checkpoint()
  await cells.plan()
  await cells.advance({ kind: 'prepared' })
  await cells.arrived()
  await cells.cutOver()
  // The index pauses after the first of them, and the clock stands still.
  const author = userRef('zoe').key
  const query = { author, after: undefined, limit: 100 }
  const { followers } = ok(await target.cell.followersHere(target.call('zoe'), query))
  expect(followers.map(({ id }) => id).sort()).toEqual(READERS)
})

test('a standby that starts again still pulls what its window has dropped', async () => {
  const cells = await TwoCells.start(SLOTS)
  const { source, target } = cells
  for (const reader of READERS) await source.follow(reader, 'zoe')
  await source.checkpoint()
  await cells.plan({ isStandby: true })
  await cells.advance({ kind: 'prepared' })
  await cells.arrived()
  await source.publish('zoe', 'dropped by the standby')
  await target.deliver()
  await target.checkpoint()
  target.crash()
  await target.create(3).start()
  source.crash()
  await cells.cutOver({ isTakeover: true })
  for (const reader of READERS) {
    expect(await target.dashboard(reader)).toEqual(['zoe:dropped by the standby'])
  }
})

test('who watches in a slot that moves is told to go on at its new cell', async () => {
  const cells = await TwoCells.start(1)
  const { source, target } = cells
  await source.follow('alice', 'zoe')
  await source.publish('zoe', 'first')
  await source.deliver()
  await source.checkpoint()
  const items = ok(await source.cell.watch(source.call('alice')))
  const told: string[] = []
  const watching = (async () => {
    for await (const item of items) if (item.kind === 'reload') told.push(item.reason)
  })()
  await cells.plan()
  await cells.advance({ kind: 'prepared' })
  await cells.arrived()
  expect(told).toEqual([])
  await cells.cutOver()
  await watching
  expect(told).toEqual(['moved'])
  expect(await target.dashboard('alice')).toEqual(['zoe:first'])
})

test('a target that lags takes no inbox for written beyond what it has applied', async () => {
  const dormantMs = 10 * HOUR
  const policy = { ...DELIVERY_POLICY, mode: 'delivered', dormantMs } as const
  // One post that is not durable keeps a cell from applying the next.
  const cells = await TwoCells.start(1, { policy, pendingBytesMax: 1 })
  const { source, target } = cells
  await source.follow('bob', 'ann')
  await source.publish('ann', '1')
  await source.deliver()
  await target.applied()
  source.clock.advance(dormantMs + SECOND)
  let allowed = 0
  target.hooks.set('posts.put', async (run) => {
    await until(() => allowed > 0)
    allowed--
    return run()
  })
  for (const text of ['2', '3', '4']) {
    await source.publish('ann', text)
    source.clock.advance(SECOND)
  }
  // Bob is away for long: his inbox goes without them.
  await source.deliver()
  await source.checkpoint()
  await cells.plan()
  await cells.advance({ kind: 'prepared' })
  // Attached while the target knows of the second post only.
  await until(async () =>
    (await target.store.readers.reach()).some((row) => row.version.count === 0),
  )
  allowed = 1
  await until(async () => (await target.cell.status()).eventsApplied > 3)
  for (let turn = 0; turn < 50; turn++) await setImmediate()
  // And it takes a checkpoint when it knows of the third.
  const taken = target.cell.checkpoint()
  for (let turn = 0; turn < 50; turn++) await setImmediate()
  allowed = 1
  await taken
  allowed = 1
  await cells.arrived()
  await cells.cutOver()
  await target.applied()
  target.crash()
  await target.create(3).start()
  await target.deliver()
  expect(await target.dashboard('bob')).toEqual(['ann:4', 'ann:3', 'ann:2', 'ann:1'])
})

test('what a target has copied and not applied yet is neither listed nor reported as arrived', async () => {
  // One post that is not durable keeps a cell from applying the next.
  const cells = await TwoCells.start(1, { pendingBytesMax: 1 })
  const { source, target } = cells
  let allowed = 0
  target.hooks.set('posts.put', async (run) => {
    await until(() => allowed > 0)
    allowed--
    return run()
  })
  for (let i = 0; i < 12; i++) await source.publish('zoe', `${i}`)
  await source.follow('alice', 'zoe')
  await source.checkpoint()
  await cells.plan()
  await cells.advance({ kind: 'prepared' })
  const { end } = source.firehose.currentBounds()
  const author = userRef('zoe').key
  const asOfNow = { viewer: author, seen: [], signal: new AbortController().signal }
  let looks = 0
  for (;;) {
    for (let turn = 0; turn < 50; turn++) await setImmediate()
    const { position } = await target.cell.status()
    if (position.every((at, partition) => at >= (end[partition] ?? 0))) break
    expect((await target.cell.slots()).arrived).toEqual([])
    const query = { author, after: undefined, limit: 100 }
    expect(ok(await target.cell.followersHere(asOfNow, query)).followers).toEqual([])
    looks++
    allowed = 1
  }
  expect(looks).toBeGreaterThan(5)
  target.hooks.delete('posts.put')
  allowed = 100
  await cells.arrived()
  await cells.cutOver()
  expect((await target.dashboard('alice')).length).toBe(12)
})

test('rows of a slot that was given away are dropped when the last page is read from them', async () => {
  const cells = await TwoCells.start(1)
  const { source } = cells
  await source.follow('alice', 'zoe')
  await source.publish('zoe', 'first')
  await source.deliver()
  await source.checkpoint()
  const inbox = gate()
  source.hooks.set('inbox.chunksBelow', inbox.hook)
  const page = source.page('alice')
  await until(() => inbox.waiting > 0)
  await cells.plan()
  await cells.advance({ kind: 'prepared' })
  await cells.arrived()
  await cells.cutOver()
  await cells.advance({ kind: 'retired' })
  for (let turn = 0; turn < 50; turn++) await setImmediate()
  expect((await source.store.readers.reach()).length).toBe(1)
  inbox.open()
  expect((await page).posts.length).toBe(1)
  await until(async () => (await source.store.readers.reach()).length === 0)
})

test('a cell that starts while its slots go for good is not said to have lost them', async () => {
  const cells = await TwoCells.start(4)
  const { source, target } = cells
  await source.follow('bob', 'ann')
  await source.publish('ann', 'hello')
  await source.checkpoint()
  await cells.ready()
  const before = source.cell
  const reading = gate()
  source.hooks.set('checkpoints.get', reading.hook)
  const started = source.create(3).start()
  await until(() => reading.waiting > 0)
  // Only now the other cell owns them, and the process of before, which still runs, drops them.
  await cells.cutOver()
  await cells.advance({ kind: 'retired' })
  await until(async () => (await before.slots()).retained.length === 0)
  await before.checkpoint().catch(() => undefined)
  reading.open()
  await started
  expect(await target.dashboard('bob')).toEqual(['ann:hello'])
})

/** Alice watches Zoe at the source until she has moved; what came until then, and after it. */
async function watchedMove(between: (cells: TwoCells) => Promise<void>) {
  const cells = await TwoCells.start(1)
  const { source, target } = cells
  await source.follow('alice', 'zoe')
  const first = await source.publish('zoe', 'first')
  await source.checkpoint()
  await cells.ready()
  const items = ok(await source.cell.watch(source.call('alice')))
  await source.publish('zoe', 'at the source')
  await source.applied()
  await cells.cutOver()
  const told: WatchItem[] = []
  for await (const item of items) told.push(item)
  const last = told.at(-1)
  if (last?.kind !== 'reload') throw new Error('the watch did not end')
  await source.edit(first, 'edited')
  await source.remove(await source.publish('zoe', 'for a moment'))
  await between(cells)
  await source.publish('zoe', 'before the watch')
  await target.applied()
  const on = ok(await target.cell.watch(target.call('alice'), last.position))
  await source.publish('zoe', 'after it')
  await target.applied()
  return { last, told, items: on[Symbol.asyncIterator](), target }
}

const wordOf = (item: WatchItem): string =>
  'post' in item ? `${item.kind} ${Buffer.from(item.post.content).toString()}` : item.kind

test('a watch goes on at the new cell with all that came in between', async () => {
  const { last, told, items } = await watchedMove(async () => {})
  expect(told.map(wordOf)).toEqual(['position', 'added at the source', 'reload'])
  const words: string[] = []
  for (let i = 0; i < 5; i++) {
    const { value } = await items.next()
    told.push(value as WatchItem)
    words.push(wordOf(value as WatchItem))
  }
  expect(told[3]).toEqual({ kind: 'position', position: last.position })
  expect(words).toEqual([
    'position',
    'edited edited',
    'removed',
    'added before the watch',
    'added after it',
  ])
})

test.for([
  ['the viewer follows somebody', (cells: TwoCells) => cells.source.follow('alice', 'ann')],
  ['an author is gone', (cells: TwoCells) => cells.source.deleteUser('zoe')],
] as const)('but not when %s in between', async ([, between]) => {
  const { items } = await watchedMove(between)
  expect((await items.next()).value).toEqual({ kind: 'reload', reason: 'moved', position: [] })
})

test('who is deleted is told nothing, here as there', async () => {
  const cells = await TwoCells.start(1)
  const { source, target } = cells
  await source.follow('alice', 'zoe')
  await source.deleteUser('alice')
  await source.checkpoint()
  await cells.ready()
  const since = source.firehose.currentBounds().end
  await cells.cutOver()
  await source.publish('zoe', 'in between')
  await target.applied()
  const ending = new AbortController()
  const on = ok(await target.cell.watch(target.call('alice', ending.signal), since))
  const items = on[Symbol.asyncIterator]()
  expect((await items.next()).value).toMatchObject({ kind: 'position' })
  const next = items.next()
  await source.publish('zoe', 'after it')
  await target.applied()
  ending.abort()
  expect((await next).done).toBe(true)
})

test('nor when all that came in between is that an author is gone', async () => {
  const cells = await TwoCells.start(1)
  const { source, target } = cells
  await source.follow('alice', 'zoe')
  await source.publish('zoe', 'first')
  await source.checkpoint()
  await cells.ready()
  const since = source.firehose.currentBounds().end
  await cells.cutOver()
  await source.deleteUser('zoe')
  await target.applied()
  const on = ok(await target.cell.watch(target.call('alice'), since))
  const items = on[Symbol.asyncIterator]()
  expect((await items.next()).value).toEqual({ kind: 'reload', reason: 'moved', position: [] })
})

test('nor at a cell that did not know of the move in time', async () => {
  const { target } = await watchedMove(async () => {})
  const on = ok(await target.cell.watch(target.call('alice'), [0, 0, 0, 0]))
  const items = on[Symbol.asyncIterator]()
  expect((await items.next()).value).toEqual({ kind: 'reload', reason: 'moved', position: [] })
})
