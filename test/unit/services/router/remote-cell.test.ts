// A cell in another process: calls do not hold each other up, bounds hold, and whatever breaks is told in time.

import { setImmediate } from 'node:timers/promises'
import { Server } from '@grpc/grpc-js'
import { afterEach, expect, test } from 'vitest'
import type { PostId } from '../../../../cells/model/post-id.ts'
import { userKey } from '../../../../cells/model/user-key.ts'
import type {
  Answer,
  Call,
  CellClient,
  DashboardQuery,
  Page,
  PostView,
  Unread,
  WatchItem,
} from '../../../../cells/ports/cell-client.ts'
import { CellServiceService } from '../../../../gen/cellfeed/internal/v1/cell_service.ts'
import type { RemoteCell } from '../../../../services/router/remote-cell.ts'
import {
  cellThat,
  listen,
  QUICK,
  remoteCell,
  serveCell,
  type ServedCell,
} from './cell-behind-stream.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const callOf = (signal = new AbortController().signal): Call => ({
  viewer: userKey('ann'),
  seen: [3, 4],
  signal,
})
const okay = <T>(value: T): Answer<T> => ({ kind: 'ok', value, position: [5, 2 ** 40] })
const counted = (count: number) => okay<Unread>({ count, capped: false })
const never = () => new Promise<never>(() => {})

async function joined(
  answers: Partial<CellClient>,
  limits = QUICK,
): Promise<{ readonly remote: RemoteCell; readonly served: ServedCell }> {
  const served = await serveCell(() => cellThat(answers), { limits })
  closing.push(() => served.stop())
  const remote = remoteCell(() => served.address, { limits })
  closing.push(() => remote.close())
  return { remote, served }
}

test('a call that takes long holds up no other', async () => {
  let answerFirst: (answer: Answer<Unread>) => void = () => {}
  const first = new Promise<Answer<Unread>>((resolve) => (answerFirst = resolve))
  const { remote } = await joined({
    countUnread: (_call, cap) => (cap === 1 ? first : Promise.resolve(counted(cap))),
  })
  const slow = remote.countUnread(callOf(), 1)
  expect(await remote.countUnread(callOf(), 2)).toEqual(counted(2))
  answerFirst(counted(7))
  expect(await slow).toEqual(counted(7))
})

test('many calls that nobody can give up are made at once, and nobody warns of a leak', async () => {
  const { remote } = await joined({
    readersOf: async () => ({ readers: [], ids: [], next: undefined }),
  })
  const warnings: string[] = []
  const warned = ({ name }: Error) => void warnings.push(name)
  process.on('warning', warned)
  closing.push(() => process.off('warning', warned))
  const query = { after: undefined, limit: 10 }
  const asked = Array.from({ length: 64 }, (_, slot) => remote.readersOf(slot, query))
  expect(await Promise.all(asked)).toHaveLength(64)
  await setImmediate()
  expect(warnings).toEqual([])
})

test('the cell is told who asks, and what they have seen', async () => {
  const asked: Partial<Call>[] = []
  const { remote } = await joined({
    countUnread: async ({ viewer, seen }) => {
      asked.push({ viewer, seen })
      return counted(0)
    },
  })
  await remote.countUnread({ ...callOf(), seen: [0, 127, 128, 2 ** 52] }, 1)
  expect(asked).toEqual([{ viewer: userKey('ann'), seen: [0, 127, 128, 2 ** 52] }])
})

test('an answer `moved` is passed on', async () => {
  const moved = { kind: 'moved', cell: 'cell-2', epoch: 7, slot: 3 } as const
  const { remote } = await joined({ countUnread: async () => moved })
  expect(await remote.countUnread(callOf(), 1)).toEqual(moved)
})

test('a call that fails at the cell fails here with its code; the others do not', async () => {
  const { remote } = await joined({
    countUnread: async (_call, cap) => {
      if (cap === 1) throw Object.assign(new Error('gone'), { code: 'CELL_STOPPED' })
      if (cap === 2) throw new TypeError('a fault')
      return counted(3)
    },
  })
  await expect(remote.countUnread(callOf(), 1)).rejects.toMatchObject({ code: 'CELL_STOPPED' })
  const fault = remote.countUnread(callOf(), 2)
  await expect(fault).rejects.toMatchObject({ code: 'CELL_FAULT', message: 'a fault' })
  expect(await remote.countUnread(callOf(), 3)).toEqual(counted(3))
})

test('a call that is given up is cancelled at the cell, and ends also if the cell does not', async () => {
  const ending = new AbortController()
  let noteCancelled: () => void = () => {}
  const cancelled = new Promise<void>((resolve) => (noteCancelled = resolve))
  const { remote } = await joined({
    countUnread: ({ signal }) => {
      signal.addEventListener('abort', noteCancelled)
      ending.abort()
      return never()
    },
  })
  const asked = remote.countUnread(callOf(ending.signal), 1)
  await expect(asked).rejects.toMatchObject({ code: 'CELL_UNAVAILABLE' })
  await cancelled
})

test('more calls than may be in flight are refused at once', async () => {
  const limits = { ...QUICK, callsInFlightMax: 2 }
  const { remote } = await joined({ countUnread: never }, limits)
  const waiting = [remote.countUnread(callOf(), 1), remote.countUnread(callOf(), 1)]
  await expect(remote.countUnread(callOf(), 1)).rejects.toMatchObject({ code: 'CELL_BUSY' })
  remote.close()
  for (const call of waiting) {
    await expect(call).rejects.toMatchObject({ code: 'CELL_UNAVAILABLE' })
  }
})

test('when the connection breaks, calls and watches end, and the next call finds the cell again', async () => {
  const { remote, served } = await joined({
    dashboard: never,
    countUnread: async () => counted(1),
    watch: async () => okay(itemsThenNothing([{ kind: 'position', position: [1, 2] }])),
  })
  const watch = await remote.watch(callOf())
  if (watch.kind !== 'ok') throw new Error('no watch')
  const items = watch.value[Symbol.asyncIterator]()
  await items.next()
  const pending = remote.dashboard(callOf(), NEWEST).then(
    () => 'answered',
    (error: { readonly code: string }) => error.code,
  )
  await remote.countUnread(callOf(), 1)
  served.stop()
  expect(await pending).toBe('CELL_UNAVAILABLE')
  const last = await items.next()
  expect(last.value).toEqual({ kind: 'reload', reason: 'stopping', position: [] })
  expect((await items.next()).done).toBe(true)
  const port = Number(served.address.split(':')[1])
  const again = await serveCell(() => cellThat({ countUnread: async () => counted(2) }), { port })
  closing.push(() => again.stop())
  const askedAgain = () => remote.countUnread(callOf(), 1).catch(() => undefined)
  await expect.poll(askedAgain).toEqual(counted(2))
  expect(remote.isUsable).toBe(true)
})

test('a cell that starts anew at another address is followed there', async () => {
  const first = await serveCell(() => cellThat({ countUnread: async () => counted(1) }))
  const second = await serveCell(() => cellThat({ countUnread: async () => counted(2) }))
  closing.push(
    () => first.stop(),
    () => second.stop(),
  )
  let { address } = first
  const remote = remoteCell(() => address)
  closing.push(() => remote.close())
  expect(await remote.countUnread(callOf(), 1)).toEqual(counted(1))
  address = second.address
  remote.followTo(address)
  const asked = () => remote.countUnread(callOf(), 1).catch(() => undefined)
  await expect.poll(asked).toEqual(counted(2))
})

test('a cell that does not serve is known not to, and known when it does', async () => {
  let hosted: CellClient | undefined
  const served = await serveCell(() => hosted)
  closing.push(() => served.stop())
  const remote = remoteCell(() => served.address)
  closing.push(() => remote.close())
  const refused = remote.countUnread(callOf(), 1)
  await expect(refused).rejects.toMatchObject({ code: 'CELL_UNAVAILABLE' })
  expect(remote.isUsable).toBe(false)
  hosted = cellThat({ countUnread: async () => counted(1) })
  await expect.poll(() => remote.isUsable).toBe(true)
  expect(await remote.countUnread(callOf(), 1)).toEqual(counted(1))
})

test('another cell at the address is not taken for this one', async () => {
  const served = await serveCell(() => cellThat({}, 'cell-9'), { cell: 'cell-9' })
  closing.push(() => served.stop())
  const remote = remoteCell(() => served.address)
  closing.push(() => remote.close())
  const refused = remote.countUnread(callOf(), 1)
  await expect(refused).rejects.toMatchObject({ code: 'CELL_UNAVAILABLE' })
  expect(remote.isUsable).toBe(false)
})

test('an address where nobody answers refuses calls, and waits no longer than it takes', async () => {
  const remote = remoteCell(() => '127.0.0.1:1')
  closing.push(() => remote.close())
  const refused = remote.countUnread(callOf(), 1)
  await expect(refused).rejects.toMatchObject({ code: 'CELL_UNAVAILABLE' })
  expect(remote.isUsable).toBe(false)
})

test('a cell that falls silent is given up', async () => {
  const silent = new Server()
  const state = { cell: 'cell-1', serving: true }
  const { converse } = CellServiceService
  silent.addService(
    { converse },
    { converse: (stream: { write: (m: object) => void }) => stream.write({ replies: [], state }) },
  )
  const port = await listen(silent)
  closing.push(() => silent.forceShutdown())
  const remote = remoteCell(() => `127.0.0.1:${port}`)
  closing.push(() => remote.close())
  const call = remote.countUnread(callOf(), 1)
  await expect(call).rejects.toMatchObject({ code: 'CELL_UNAVAILABLE' })
})

test('a watcher that takes nothing holds up nobody, and little is sent to it', async () => {
  let taken = 0
  async function* endless(): AsyncGenerator<WatchItem> {
    for (;;) {
      taken++
      yield { kind: 'added', post: postOf(taken, 1_000), position: [taken, 0] }
    }
  }
  const { remote } = await joined({
    watch: async () => okay(endless()),
    countUnread: async () => counted(1),
  })
  const watch = await remote.watch(callOf())
  if (watch.kind !== 'ok') throw new Error('no watch')
  for (let n = 0; n < 50; n++) expect(await remote.countUnread(callOf(), 1)).toEqual(counted(1))
  expect(taken).toBeLessThanOrEqual(QUICK.watchItemsAhead + 1)
  const items = watch.value[Symbol.asyncIterator]()
  for (let n = 1; n <= 100; n++) {
    expect((await items.next()).value).toMatchObject({ position: [n, 0] })
  }
  expect(taken).toBeLessThanOrEqual(100 + QUICK.watchItemsAhead + 1)
})

test('a page of very great posts comes with as many as fit, and goes on below them', async () => {
  const posts = Array.from({ length: 20 }, (_, n) => postOf(1_000 - n, 250_000))
  const { remote } = await joined({
    dashboard: async (_call, { limit }) => okay(pageOf(posts.slice(0, limit))),
  })
  const answer = await remote.dashboard(callOf(), NEWEST)
  if (answer.kind !== 'ok') throw new Error(`the cell answered ${answer.kind}`)
  const { value: page } = answer
  expect(page.posts.length).toBeGreaterThan(10)
  expect(page.posts.length).toBeLessThan(20)
  expect(page.older?.postId).toBe(page.posts.at(-1)?.postId)
})

test('a cell that closes answers what runs, and tells watchers to come again', async () => {
  let answer: (value: Answer<Unread>) => void = () => {}
  const running = new Promise<Answer<Unread>>((resolve) => (answer = resolve))
  let isAsked = false
  const { remote, served } = await joined({
    countUnread: () => {
      isAsked = true
      return running
    },
    watch: async () => okay(itemsThenNothing([{ kind: 'position', position: [1, 2] }])),
  })
  const watch = await remote.watch(callOf())
  if (watch.kind !== 'ok') throw new Error('no watch')
  const items = watch.value[Symbol.asyncIterator]()
  await items.next()
  const last = items.next()
  const asked = remote.countUnread(callOf(), 1)
  await expect.poll(() => isAsked).toBe(true)
  const closed = served.service.close()
  expect((await last).value).toEqual({ kind: 'reload', reason: 'stopping', position: [] })
  answer(counted(4))
  expect(await asked).toEqual(counted(4))
  await closed
  const refused = remote.countUnread(callOf(), 1)
  await expect(refused).rejects.toMatchObject({ code: 'CELL_UNAVAILABLE' })
})

const NEWEST: DashboardQuery = { limit: 20, from: undefined, countUnreadTo: undefined }

function postOf(id: number, bytes: number): PostView {
  return {
    author: userKey('bob'),
    postId: BigInt(id) as PostId,
    head: Buffer.alloc(10, 1),
    content: Buffer.alloc(bytes, 2),
    audience: 'public',
    origin: undefined,
  }
}

function pageOf(posts: readonly PostView[]): Page {
  const last = posts.at(-1)
  const older = last && { postId: last.postId, author: last.author }
  return { posts, older, newer: undefined, readMark: undefined, unread: undefined }
}

/** These items, and then silence until it is left. */
function itemsThenNothing(items: readonly WatchItem[]): AsyncIterable<WatchItem> {
  return {
    [Symbol.asyncIterator]: () => {
      const left = [...items]
      return {
        next: async () => {
          const value = left.shift()
          return value === undefined ? never() : { done: false, value }
        },
      }
    },
  }
}
