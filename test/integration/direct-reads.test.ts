// Cells and gateway as processes of their own: reads through the gateway and reads from the cell are the same, and the client
// finds its way when a cell goes and comes.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { firstPlacement, ownerOf, SLOTS_DEFAULT, slotOf } from '../../cells/model/placement.ts'
import { userKey } from '../../cells/model/user-key.ts'
import { DashboardServiceService as dashboards } from '../../gen/cellfeed/v1/dashboard_service.ts'
import { RouterServiceService as routers } from '../../gen/cellfeed/v1/router_service.ts'
import { type Cellfeed, connect } from '../../services/client/connect.ts'
import { RawClient, refusalOf } from './raw-client.ts'
import { SplitCluster } from './split-cluster.ts'

let cluster: SplitCluster
let direct: Cellfeed
let through: Cellfeed
beforeAll(async () => {
  cluster = await SplitCluster.start()
  direct = connect(cluster.address, { direct: true })
  through = connect(cluster.address)
})
afterAll(async () => {
  direct.close()
  through.close()
  await cluster.stop()
})

const placement = firstPlacement(['cell-1', 'cell-2'], SLOTS_DEFAULT)
const homeOf = (user: string) => ownerOf(placement, slotOf(userKey(user), SLOTS_DEFAULT)).cell
const userIn = (cell: string, prefix: string) => {
  for (let n = 0; ; n++) if (homeOf(`${prefix}-${n}`) === cell) return `${prefix}-${n}`
}
const texts = (page: { readonly posts: readonly { readonly text: string }[] }) =>
  page.posts.map(({ text }) => text)
const listOf = (userId: string, pageToken = '', consistencyTokens: string[] = []) => ({
  userId,
  pageSize: 2,
  pageToken,
  consistencyTokens,
  includeUnreadCount: false,
})

test('a gateway tells where users live', async () => {
  const raw = new RawClient(cluster.address)
  const homes = await raw.ask(routers.listHomes, {})
  raw.close()
  expect(homes.slots).toBe(SLOTS_DEFAULT)
  expect(homes.cells).toEqual(
    ['cell-1', 'cell-2'].map((cell) => ({ cell, address: cluster.addressOf(cell) })),
  )
  expect(homes.ranges.map(({ cell }) => cell)).toEqual(['cell-1', 'cell-2'])
})

test('pages, unread counts and page tokens are the same from cell and gateway', async () => {
  const reader = userIn('cell-2', 'reader')
  await direct.follow(reader, 'author')
  for (let n = 1; n <= 5; n++) await direct.publish('author', `${n}`)
  const session = through.session(direct.consistencyTokens)
  const first = await direct.dashboard(reader, { limit: 2, countUnread: true })
  expect(texts(first)).toEqual(['5', '4'])
  expect(first.posts).toEqual((await session.dashboard(reader, { limit: 2 })).posts)
  const pageToken = first.olderPageToken
  const next = await session.dashboard(reader, { limit: 2, pageToken })
  expect(texts(next)).toEqual(['3', '2'])
  const last = await direct.dashboard(reader, { limit: 2, pageToken: next.olderPageToken })
  expect(texts(last)).toEqual(['1'])
  expect(await direct.unread(reader)).toEqual(await session.unread(reader))
})

test('a cell answers for its own users only, and reads only', async () => {
  const raw = new RawClient(cluster.addressOf('cell-1'))
  const stranger = userIn('cell-2', 'stranger')
  const refusal = await refusalOf(raw.ask(dashboards.listDashboard, listOf(stranger)))
  expect(refusal).toMatchObject({
    code: 'FAILED_PRECONDITION',
    reason: 'MOVED',
    metadata: { cell: 'cell-2', epoch: '1' },
  })
  const own = userIn('cell-1', 'own')
  expect((await raw.ask(dashboards.listDashboard, listOf(own))).posts).toEqual([])
  const marked = raw.ask(dashboards.markRead, { userId: own, postId: '1' })
  await expect(marked).rejects.toMatchObject({ code: 12 })
  raw.close()
})

test('a watch at the cell tells what was written through the gateway', async () => {
  const watcher = userIn('cell-1', 'watcher')
  await direct.follow(watcher, 'teller')
  const watch = direct.watch(watcher)
  expect((await watch.next()).value).toMatchObject({ kind: 'heartbeat' })
  await through.publish('teller', 'told')
  for await (const change of watch) {
    if (change.kind !== 'added') continue
    expect(change.post.text).toBe('told')
    break
  }
})

test('a watch through the gateway tells it too, over the stream', async () => {
  const watcher = userIn('cell-2', 'watcher')
  await through.follow(watcher, 'teller')
  const watch = through.watch(watcher)
  expect((await watch.next()).value).toMatchObject({ kind: 'heartbeat' })
  await direct.publish('teller', 'told again')
  for await (const change of watch) {
    if (change.kind !== 'added') continue
    expect(change.post.text).toBe('told again')
    break
  }
})

test('a cell that goes and comes back elsewhere is found again, and the other is not disturbed', async () => {
  const here = userIn('cell-1', 'here')
  const there = userIn('cell-2', 'there')
  await direct.follow(here, 'rower')
  await direct.follow(there, 'rower')
  await direct.publish('rower', 'row')
  expect(texts(await direct.dashboard(here))).toEqual(['row'])
  await cluster.stopCell('cell-1')
  const once = connect(cluster.address, { direct: true, retry: { attemptsMax: 1 } })
  await expect(once.dashboard(here)).rejects.toMatchObject({ reason: 'CELL_UNAVAILABLE' })
  expect(texts(await direct.dashboard(there))).toEqual(['row'])
  await cluster.startCell('cell-1')
  await expect
    .poll(() => once.dashboard(here).then(texts, () => []), { timeout: 10_000 })
    .toEqual(['row'])
  expect(texts(await direct.dashboard(here))).toEqual(['row'])
  once.close()
})
