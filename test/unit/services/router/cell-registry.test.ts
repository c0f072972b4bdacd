// Where the cells are, and why one of them does not answer.

import { expect, test } from 'vitest'
import type { CellClient } from '../../../../cells/ports/cell-client.ts'
import { MemoryControlStore } from '../../../../infra/memory/control-store.ts'
import {
  announcementKey,
  type CellAnnouncement,
  encodeAnnouncement,
} from '../../../../services/cell/cell-announcement.ts'
import { CellRegistry } from '../../../../services/router/cell-registry.ts'

const nowMs = 1_000_000
const clock = { nowMs: () => nowMs, sleep: () => Promise.resolve(), yield: () => Promise.resolve() }
const serving: CellAnnouncement = {
  cell: 'cell-1',
  address: 'one:7410',
  boot: 4,
  leaseEndsAtMs: nowMs + 5_000,
  leaseMs: 6_000,
  startedAtMs: nowMs - 1_000,
  state: 'serving',
  detail: '',
  version: '1.2.3',
  memoryBytes: 7,
  readP99Ms: 0,
  lagMs: 0,
}
const nobody = () => undefined
const somebody = () => ({ cell: 'cell-1' }) as CellClient

async function announce(control: MemoryControlStore, announcement: CellAnnouncement) {
  const key = announcementKey(announcement.cell)
  const revision = (await control.get(key))?.revision ?? 0
  await control.compareAndSet(key, revision, encodeAnnouncement(announcement))
}

async function registryOf(...announcements: readonly CellAnnouncement[]) {
  const control = new MemoryControlStore()
  for (const announcement of announcements) await announce(control, announcement)
  const registry = new CellRegistry({ control, clock })
  await registry.load(['cell-1'])
  return { control, registry }
}

test('a cell that announced itself is found, and one that answers serves', async () => {
  const { registry } = await registryOf(serving)
  expect(registry.addressOf('cell-1')).toBe('one:7410')
  const report = registry.report('cell-1', somebody)
  expect(report).toMatchObject({ state: 'serving', boot: 4, version: '1.2.3', memoryBytes: 7 })
  expect(report.client).toBeDefined()
})

test.each<[string, Partial<CellAnnouncement>, string, string]>([
  ['loads', { state: 'loading' }, 'loading', ''],
  ['refuses', { state: 'refusing', detail: 'a gap' }, 'refusing', 'a gap'],
  ['stopped in order', { state: 'stopped' }, 'stopped', 'stopped in order (boot 4'],
  ['ended unseen', { leaseEndsAtMs: nowMs - 12_000 }, 'unreachable', 'its lease ended 12 s ago'],
  ['does not answer', {}, 'unreachable', 'does not answer there'],
])('a cell that %s is told so', async (_, change, state, detail) => {
  const { registry } = await registryOf({ ...serving, ...change })
  const report = registry.report('cell-1', nobody)
  expect(report.state).toBe(state)
  expect(report.detail).toContain(detail)
  expect(report.client).toBeUndefined()
})

test('a cell that never announced itself is told how to start', async () => {
  const { registry } = await registryOf()
  expect(registry.addressOf('cell-1')).toBeUndefined()
  expect(registry.report('cell-1', nobody)).toMatchObject({
    state: 'unreachable',
    detail: 'never announced itself: start it with "cellfeed cell --name cell-1"',
  })
})

test('a cell that stopped for good has no address', async () => {
  const { registry } = await registryOf({ ...serving, state: 'stopped' })
  expect(registry.addressOf('cell-1')).toBeUndefined()
})

test('a cell that starts elsewhere is followed; what is older is no news', async () => {
  const { control, registry } = await registryOf(serving)
  const stopping = new AbortController()
  const following = registry.follow('cell-1', stopping.signal, () => undefined)
  await announce(control, { ...serving, boot: 5, address: 'two:7410' })
  await expect.poll(() => registry.addressOf('cell-1')).toBe('two:7410')
  await announce(control, serving)
  await announce(control, { ...serving, boot: 6, address: 'three:7410' })
  await expect.poll(() => registry.addressOf('cell-1')).toBe('three:7410')
  stopping.abort()
  await following
})
