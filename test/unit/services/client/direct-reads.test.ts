// Reads from the cells themselves: the table is asked for once, moves are followed, and the gateway answers for every cell
// that does not.

import { status } from '@grpc/grpc-js'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Cellfeed, CellfeedError, connect } from '../../../../services/client/connect.ts'
import { type FakeServer, startFakeServer } from './fake-server.ts'

let gateway: FakeServer
let one: FakeServer
let two: FakeServer
let feed: Cellfeed
beforeEach(async () => {
  gateway = await startFakeServer()
  one = await startFakeServer()
  two = await startFakeServer()
  gateway.homes = homesIn('cell-1', 1)
  feed = connect(gateway.address, { direct: true, retry: { firstPauseMs: 1, pauseMaxMs: 2 } })
})
afterEach(() => {
  feed.close()
  for (const server of [gateway, one, two]) server.stop()
})

const asked = () => [gateway, one, two].map(({ lists }) => lists.length)
const movedTo = (cell: string, epoch: number) => ({
  code: status.FAILED_PRECONDITION,
  reason: 'MOVED',
  metadata: { cell, epoch: String(epoch) },
})

function homesIn(cell: string, epoch: number) {
  return {
    epoch: BigInt(epoch),
    slots: 16,
    ranges: [{ first: 0, last: 15, cell }],
    cells: [
      { cell: 'cell-1', address: one.address },
      { cell: 'cell-2', address: two.address },
    ],
  }
}

test('reads go to the cell, writes to the gateway, and the table is asked for once', async () => {
  await feed.follow('alice', 'bob')
  await Promise.all([feed.dashboard('alice'), feed.dashboard('bob')])
  await feed.dashboard('carol')
  expect(asked()).toEqual([0, 3, 0])
  expect(gateway.homesAsked).toBe(1)
  expect(gateway.follows).toHaveLength(1)
})

test('what was written through the gateway is waited for at the cell', async () => {
  await feed.follow('alice', 'bob')
  await feed.dashboard('alice')
  await feed.dashboard('alice')
  expect(one.lists.map(({ consistencyTokens }) => consistencyTokens)).toEqual([['w1'], ['r1']])
})

test('without `direct` no cell is asked', async () => {
  const plain = connect(gateway.address)
  await plain.dashboard('alice')
  plain.close()
  expect(asked()).toEqual([1, 0, 0])
  expect(gateway.homesAsked).toBe(0)
})

test('a user who moved is found in the other cell', async () => {
  await feed.dashboard('alice')
  one.refusals.push(movedTo('cell-2', 2))
  gateway.homes = homesIn('cell-2', 2)
  await feed.dashboard('alice')
  await feed.dashboard('alice')
  expect(asked()).toEqual([0, 2, 2])
  expect(gateway.homesAsked).toBe(2)
})

test('while the router does not know of a move, the gateway is asked', async () => {
  await feed.dashboard('alice')
  one.refusals.push(movedTo('cell-2', 2), movedTo('cell-2', 2))
  await feed.dashboard('alice')
  await feed.dashboard('alice')
  await feed.dashboard('alice')
  expect(asked()).toEqual([3, 3, 0])
  expect(gateway.homesAsked).toBe(2)
})

test('a cell that is gone is left alone, and the gateway answers', async () => {
  one.stop()
  await feed.dashboard('alice')
  await feed.dashboard('alice')
  expect(asked()).toEqual([2, 0, 0])
})

test('a cell that does not serve is passed over at once', async () => {
  one.refusals.push({ code: status.UNAVAILABLE, reason: 'CELL_UNAVAILABLE' })
  await feed.dashboard('alice')
  expect(asked()).toEqual([1, 1, 0])
})

test('a cell that does not answer leaves the gateway half of the time', async () => {
  one.silent = true
  await feed.unread('alice', { timeoutMs: 1 }).catch(() => undefined)
  const page = await feed.dashboard('alice', { timeoutMs: 1_000 })
  expect(page.newerPageToken).toBe('newer')
  expect(gateway.lists).toHaveLength(1)
})

test('what is refused for good is not asked again', async () => {
  one.refusals.push({ code: status.INVALID_ARGUMENT, reason: 'PAGE_TOKEN_INVALID' })
  const refused = feed.dashboard('alice', { pageToken: 'x' })
  await expect(refused).rejects.toMatchObject({ reason: 'PAGE_TOKEN_INVALID' })
  await expect(refused).rejects.toBeInstanceOf(CellfeedError)
  expect(asked()).toEqual([0, 1, 0])
})

test('where no cell can be reached from outside, and where nobody knows, the gateway is asked', async () => {
  gateway.homes = { ...homesIn('cell-1', 1), cells: [] }
  await feed.dashboard('alice')
  expect(asked()).toEqual([1, 0, 0])
  const lost = connect(gateway.address, {
    direct: true,
    routerAddress: '127.0.0.1:1',
    retry: { firstPauseMs: 1 },
  })
  await lost.dashboard('alice')
  lost.close()
  expect(asked()).toEqual([2, 0, 0])
})

test('a watch begins at the cell and goes on at the gateway when the cell breaks', async () => {
  const beat = {
    event: { $case: 'heartbeat', value: { newerPageToken: 'place', resumed: false } },
    consistencyToken: 'r9',
  } as const
  one.streamAnswers.push([beat])
  one.streamEnds = { code: status.UNAVAILABLE }
  gateway.streamAnswers.push([beat])
  const kinds: string[] = []
  for await (const change of feed.watch('alice')) {
    kinds.push(change.kind)
    if (kinds.length === 3) break
  }
  expect(kinds).toEqual(['heartbeat', 'reset', 'heartbeat'])
  expect(one.watches).toHaveLength(1)
  expect(gateway.watches.map(({ newerPageToken }) => newerPageToken)).toEqual(['place'])
})

/** What comes of a watch whose cell tells this, and ends so; at the other cell, or at the gateway, it `resumed`. */
async function movedWatch(
  resumed: boolean,
  ends: NonNullable<FakeServer['streamEnds']> = movedTo('cell-2', 2),
) {
  const beat = (newerPageToken: string, consistencyToken: string, isResumed: boolean) => ({
    event: { $case: 'heartbeat' as const, value: { newerPageToken, resumed: isResumed } },
    consistencyToken,
  })
  one.streamAnswers.push([beat('here', 'r1', false), beat('here', 'r2', false)])
  one.streamEnds = ends
  two.streamAnswers.push([beat('there', 'r3', resumed)])
  gateway.streamAnswers.push([beat('there', 'r3', resumed)])
  // So that the table of before the move is known.
  await feed.dashboard('alice')
  gateway.homes = homesIn('cell-2', 2)
  const kinds: string[] = []
  for await (const change of feed.watch('alice')) {
    kinds.push(change.kind)
    if (change.kind === 'heartbeat' && change.newerPageToken === 'there') break
  }
  return kinds
}

test('a watch follows its user to another cell, and goes on from the last answer', async () => {
  expect(await movedWatch(true)).toEqual(['heartbeat', 'heartbeat', 'heartbeat'])
  expect(two.watches.map((watch) => watch.resumeToken)).toEqual(['r2'])
})

test('a cell that can not go on from there has the watcher list anew', async () => {
  expect(await movedWatch(false)).toEqual(['heartbeat', 'heartbeat', 'reset', 'heartbeat'])
})

test('after a break the last answer is no place to go on from', async () => {
  const kinds = await movedWatch(false, { code: status.UNAVAILABLE })
  expect(kinds).toEqual(['heartbeat', 'heartbeat', 'reset', 'heartbeat'])
  expect(gateway.watches.map((watch) => watch.resumeToken)).toEqual([''])
})
