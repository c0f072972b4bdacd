// One process for each cell: a later one takes over, the earlier one learns of it before it answers anything.

import { expect, test } from 'vitest'
import { MemoryControlStore } from '../../../../infra/memory/control-store.ts'
import { announcementKey, decodeAnnouncement } from '../../../../services/cell/cell-announcement.ts'
import { CellTakenOver } from '../../../../services/cell/cell-lease.ts'
import { AwayControlStore, LEASE_MS, LeaseStage, settled } from './lease-stage.ts'

async function announced(control: MemoryControlStore) {
  const entry = await control.get(announcementKey('cell-1'))
  return entry === undefined ? undefined : decodeAnnouncement(entry.value)
}

test('a process announces itself under its boot, and renews in time', async () => {
  const control = new MemoryControlStore()
  const one = new LeaseStage(control, 'one:7410')
  await one.lease.nextBoot()
  one.keep()
  const first = await announced(control)
  expect(first).toMatchObject({ address: 'one:7410', boot: 1, state: 'serving' })
  await one.run(10 * LEASE_MS)
  expect((await announced(control))?.leaseEndsAtMs).toBeGreaterThan(one.wallMs)
  expect(one.suspended).toBe(0)
  expect(one.lease.state).toBe('held')
  one.end()
})

test('a second process of the cell takes over, and the first one learns who', async () => {
  const control = new MemoryControlStore()
  const one = new LeaseStage(control, 'one:7410')
  const two = new LeaseStage(control, 'two:7410')
  await one.lease.nextBoot()
  one.keep()
  await two.lease.nextBoot()
  await one.run(LEASE_MS)
  const error = await one.lease.takenOver
  expect(error).toBeInstanceOf(CellTakenOver)
  expect(error.message).toBe('cell-1 was taken over by boot 2 at two:7410: this process has to end')
  expect(one.lease.term).toBeUndefined()
  await expect(one.lease.nextBoot()).rejects.toBeInstanceOf(CellTakenOver)
  expect(await announced(control)).toMatchObject({ boot: 2, address: 'two:7410' })
})

test('a process that stood still answers nothing before its lease is renewed', async () => {
  const one = new LeaseStage(new MemoryControlStore(), 'one:7410')
  await one.lease.nextBoot()
  one.keep()
  const before = one.lease.term
  one.stop(LEASE_MS + 1)
  expect(one.lease.term).toBeUndefined()
  expect(one.suspended).toBe(1)
  const confirmed = one.lease.confirmed(new AbortController().signal)
  await one.run(LEASE_MS / 10)
  await confirmed
  expect(one.lease.term).not.toBe(before)
  expect(one.lease.term).toBeDefined()
  one.end()
})

test('a process that was taken over while it stood still never answers again', async () => {
  const control = new MemoryControlStore()
  const one = new LeaseStage(control, 'one:7410')
  await one.lease.nextBoot()
  one.keep()
  one.stop(LEASE_MS + 1)
  await new LeaseStage(control, 'two:7410').lease.nextBoot()
  expect(one.lease.term).toBeUndefined()
  await one.run(LEASE_MS)
  await one.lease.takenOver
  expect(one.lease.term).toBeUndefined()
})

test('a clock that jumps counts as standing still', async () => {
  const one = new LeaseStage(new MemoryControlStore(), 'one:7410')
  await one.lease.nextBoot()
  one.wallMs -= LEASE_MS
  expect(one.lease.term).toBeUndefined()
  expect(one.suspended).toBe(1)
})

test('a renewal that was under way when the process stood still confirms nothing', async () => {
  const control = new MemoryControlStore()
  let answer: () => void = () => undefined
  const slow = new LeaseStage(
    {
      get: (key) => control.get(key),
      watch: (key, signal) => control.watch(key, signal),
      compareAndSet: async (key, expected, value) => {
        const revision = await control.compareAndSet(key, expected, value)
        if (slow.lease.boot > 0) await new Promise<void>((resolve) => (answer = resolve))
        return revision
      },
    },
    'one:7410',
  )
  await slow.lease.nextBoot()
  slow.keep()
  await slow.run(LEASE_MS / 2)
  slow.stop(2 * LEASE_MS)
  expect(slow.lease.term).toBeUndefined()
  answer()
  await settled()
  expect(slow.lease.term).toBeUndefined()
  slow.end()
  answer()
})

test('without a control store it goes on, and proves itself once in the time of a lease', async () => {
  const control = new AwayControlStore()
  const one = new LeaseStage(control, 'one:7410')
  await one.lease.nextBoot()
  one.keep()
  control.isAway = true
  await one.run(5 * LEASE_MS)
  expect(one.lease.state).toBe('lapsed')
  expect(one.lease.term).toBeDefined()
  expect(one.suspended).toBeGreaterThanOrEqual(4)
  expect(one.failures.length).toBeGreaterThan(0)
  control.isAway = false
  await one.run(LEASE_MS)
  expect(one.lease.state).toBe('held')
  one.end()
})

test('a start of the cell anew in the same process has a greater boot', async () => {
  const control = new MemoryControlStore()
  const one = new LeaseStage(control, 'one:7410')
  expect([await one.lease.nextBoot(), await one.lease.nextBoot()]).toEqual([1, 2])
  expect(await announced(control)).toMatchObject({ boot: 2 })
})

test('who stops in order withdraws, unless another has taken over', async () => {
  const control = new MemoryControlStore()
  const one = new LeaseStage(control, 'one:7410')
  await one.lease.nextBoot()
  await one.lease.withdraw()
  expect(await announced(control)).toMatchObject({ state: 'stopped', boot: 1 })
  const two = new LeaseStage(control, 'two:7410')
  await two.lease.nextBoot()
  await one.lease.withdraw()
  expect(await announced(control)).toMatchObject({ state: 'serving', boot: 2 })
})

test('it withdraws also when a renewal happened that seemed to fail', async () => {
  const control = new MemoryControlStore()
  const one = new LeaseStage(control, 'one:7410')
  await one.lease.nextBoot()
  const key = announcementKey('cell-1')
  const before = await control.get(key)
  await control.compareAndSet(key, before?.revision ?? 0, before?.value ?? new Uint8Array())
  await one.lease.withdraw()
  expect(await announced(control)).toMatchObject({ state: 'stopped', boot: 1 })
})
