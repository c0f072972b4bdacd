// Processes of a cluster and what is between them: announcements, connections, a cell that is taken over, TLS.

import { afterEach, describe, expect, test } from 'vitest'
import { type Cellfeed, type ClientTls, connect } from '../../services/client/connect.ts'
import { addressOf, ProcessCluster, tlsOf } from './process-cluster.ts'

const clusters: ProcessCluster[] = []
const feeds: Cellfeed[] = []
afterEach(async () => {
  for (const feed of feeds.splice(0)) feed.close()
  await Promise.all(clusters.splice(0).map((cluster) => cluster.stop()))
})

async function started(tls?: ReturnType<typeof tlsOf>) {
  const cluster = new ProcessCluster(tls)
  clusters.push(cluster)
  await cluster.setUp(2)
  const cells = await Promise.all([cluster.cell('cell-1'), cluster.cell('cell-2')])
  const [gateway, controller, router] = await Promise.all([
    cluster.gateway(),
    cluster.controller(),
    cluster.router(),
  ])
  return { cluster, cells, gateway, controller, router }
}

type Started = Pick<Awaited<ReturnType<typeof started>>, 'gateway' | 'controller' | 'router'>

function connected(
  { gateway, controller, router }: Started,
  options: { readonly tls?: ClientTls; readonly direct?: boolean } = {},
): Cellfeed {
  const feed = connect(addressOf(gateway), {
    adminAddress: addressOf(controller),
    routerAddress: addressOf(router),
    ...options,
  })
  feeds.push(feed)
  return feed
}

const readers = ['ann', 'ben', 'cem', 'dan', 'eva', 'fay']

async function expectServed(feed: Cellfeed): Promise<void> {
  for (const reader of readers) await feed.follow(reader, 'news')
  await feed.publish('news', 'hello')
  for (const reader of readers) {
    expect((await feed.dashboard(reader)).posts.map(({ text }) => text)).toContain('hello')
  }
}

test('a post gets from gateway to cells to gateway', async () => {
  const all = await started()
  const feed = connected(all)
  await expectServed(feed)
  const cells = await feed.cells()
  expect(cells.map(({ cell, state }) => [cell, state])).toEqual([
    ['cell-1', 'SERVING'],
    ['cell-2', 'SERVING'],
  ])
})

test('a second process of a cell takes over: gateways follow it, the first is told who', async () => {
  const all = await started()
  const feed = connected(all)
  await expectServed(feed)
  const second = await all.cluster.cell('cell-1')
  const [first] = all.cells
  expect(await first?.superseded).toBe(
    `cell-1 was taken over by boot 3 at ${addressOf(second)}: this process has to end`,
  )
  await expectServed(feed)
})

test('a cell that was never started is listed, with what to do', async () => {
  const alone = new ProcessCluster()
  clusters.push(alone)
  await alone.setUp(2)
  await alone.cell('cell-1')
  const [gateway, controller, router] = await Promise.all([
    alone.gateway(),
    alone.controller(),
    alone.router(),
  ])
  const feed = connected({ gateway, controller, router })
  const cells = await feed.cells()
  expect(cells.map(({ cell, state }) => [cell, state])).toEqual([
    ['cell-1', 'SERVING'],
    ['cell-2', 'UNREACHABLE'],
  ])
  expect(cells[1]?.stateDetail).toContain('never announced itself')
})

describe('TLS between processes', () => {
  test('serves who shows a certificate of the authority, also from the cells themselves', async () => {
    const all = await started(tlsOf('process'))
    const tls = tlsOf('process')
    await expectServed(connected(all, { tls }))
    await expectServed(connected(all, { tls, direct: true }))
    expect(await connected(all, { tls }).cells()).toHaveLength(2)
  })

  test('refuses who shows nothing, no certificate, or one that nobody signed', async () => {
    const { gateway } = await started(tlsOf('process'))
    for (const tls of [undefined, { ca: tlsOf('process').ca }, tlsOf('stranger')]) {
      const feed = connect(addressOf(gateway), { tls, retry: { attemptsMax: 1 }, timeoutMs: 5_000 })
      feeds.push(feed)
      await expect(feed.dashboard('ann')).rejects.toMatchObject({ name: 'CellfeedError' })
    }
  })
})
