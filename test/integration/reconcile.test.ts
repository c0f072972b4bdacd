// cellfeed reconcile against a whole cluster: drift is measured, put right, and gone; what users changed since the snapshot wins.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { AdminServiceService as admin } from '../../gen/cellfeed/admin/v1/admin_service.ts'
import { GraphServiceService as graph } from '../../gen/cellfeed/v1/graph_service.ts'
import { readCliEnvironment } from '../../services/cli/config.ts'
import { type ReconcileFlags, runReconcile } from '../../services/cli/reconcile/run-reconcile.ts'
import type { Terminal } from '../../services/cli/terminal.ts'
import { MemoryCluster } from './memory-cluster.ts'

let c: MemoryCluster
let folder: string
beforeAll(async () => {
  c = await MemoryCluster.start()
  folder = await mkdtemp(join(tmpdir(), 'cellfeed-reconcile-'))
})
afterAll(async () => {
  await c.stop()
  await rm(folder, { recursive: true })
})

/** The lines that the command prints. */
async function reconcile(users: readonly object[], flags: Partial<ReconcileFlags> = {}) {
  const path = join(folder, 'users.ndjson')
  await writeFile(path, users.map((user) => `${JSON.stringify(user)}\n`).join(''))
  const lines: string[] = []
  const terminal: Terminal = {
    out: (line) => lines.push(line),
    note: (line) => lines.push(line),
    progress: () => {},
    isInteractive: false,
    stdin: process.stdin,
    nowMs: Date.now,
    interrupted: new AbortController().signal,
    environment: {
      ...readCliEnvironment({}),
      address: c.cluster.address,
      adminAddress: c.cluster.adminAddress,
    },
    endWith: () => {},
  }
  const asOf = new Date(Date.now() - 1_000).toISOString()
  await runReconcile(path, { timeout: 10, asOf, ...flags }, terminal)
  return lines
}

async function relationsOf(userId: string) {
  const request = { userId, after: Buffer.alloc(0), limit: 100, consistencyTokens: [] }
  return (await c.admin.ask(admin.listRelations, request)).related
}

const said = [
  {
    user: 'r-ann',
    follows: ['r-bob', { id: 'r-cid', hideReblogs: true }],
    blocks: ['r-eve'],
    mutes: [],
  },
  { user: 'r-eve', follows: [], blocks: [], mutes: ['r-bob'] },
]

test('drift is measured, put right, and gone', async () => {
  expect(await reconcile(said, { dryRun: true })).toEqual([
    '2 users compared, 4 relations would be put right',
    '  block     1',
    '  follow    2',
    '  mute      1',
  ])
  expect(await relationsOf('r-ann')).toEqual([])
  expect((await reconcile(said))[0]).toBe('2 users compared, 4 relations put right')
  expect((await reconcile(said))[0]).toBe('2 users compared, 0 relations put right')
  const ann = await relationsOf('r-ann')
  const bare = { follows: false, hideReblogs: false, blocks: false, mutes: false, blockedBy: false }
  expect(new Map(ann.map((related) => [related.userId, related]))).toEqual(
    new Map([
      ['r-bob', { ...bare, userId: 'r-bob', follows: true }],
      ['r-cid', { ...bare, userId: 'r-cid', follows: true, hideReblogs: true }],
      ['r-eve', { ...bare, userId: 'r-eve', blocks: true }],
    ]),
  )
  expect(await relationsOf('r-eve')).toContainEqual({ ...bare, userId: 'r-ann', blockedBy: true })
})

test('what the product does not have ends, but for what users did since', async () => {
  const old = await reconcile([
    { user: 'r-dan', follows: ['r-bob', 'r-cid'], blocks: [], mutes: [] },
  ])
  expect(old[0]).toBe('1 user compared, 2 relations put right')
  const asOf = new Date().toISOString()
  const { consistencyToken } = await c.api.ask(graph.follow, {
    userId: 'r-dan',
    authorId: 'r-cid',
    hideReblogs: true,
  })
  expect(consistencyToken).not.toBe('')
  await reconcile([{ user: 'r-dan', follows: [], blocks: [], mutes: [] }], { asOf })
  await expect
    .poll(async () => (await relationsOf('r-dan')).map(({ userId }) => userId))
    .toEqual(['r-cid'])
})

test('wrong use is said before anything is compared', async () => {
  await expect(reconcile(said, { asOf: 'soon' })).rejects.toThrow('is no time')
  await expect(reconcile([{ user: 'r-ann', likes: [] }])).rejects.toThrow('bad line')
})

test('closing a gap where none is open changes nothing', async () => {
  const request = { cell: 'cell-1', consistencyTokens: [] }
  expect(await c.admin.ask(admin.closeGap, request)).toEqual({ closed: false })
  await expect(c.admin.ask(admin.closeGap, { ...request, cell: '' })).rejects.toThrow('cell')
  await expect(c.admin.ask(admin.closeGap, { ...request, cell: 'cell-9' })).rejects.toThrow(
    'does not serve',
  )
})
