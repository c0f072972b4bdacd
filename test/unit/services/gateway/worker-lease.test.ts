// Worker numbers: no two live gateways share one, and no id is ever made twice under one.

import { expect, test } from 'vitest'
import { msOf } from '../../../../cells/model/post-id.ts'
import type { Clock } from '../../../../cells/ports/clock.ts'
import { MemoryControlStore } from '../../../../infra/memory/control-store.ts'
import { LEASE_MS, WorkerLease } from '../../../../services/gateway/worker-lease.ts'

class SetClock implements Clock {
  now = Date.UTC(2026, 0, 1)
  readonly #sleepers: (() => void)[] = []
  nowMs(): number {
    return this.now
  }
  sleep(_ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#sleepers.push(resolve)
      signal?.addEventListener('abort', () => resolve())
    })
  }
  async yield(): Promise<void> {}
  wake(): void {
    for (const resolve of this.#sleepers.splice(0)) resolve()
  }
}

test('every taker gets a number of its own while leases last', async () => {
  const parts = { control: new MemoryControlStore(), clock: new SetClock() }
  const leases = await Promise.all(Array.from({ length: 20 }, () => WorkerLease.take(parts)))
  expect(new Set(leases.map(({ worker }) => worker)).size).toBe(20)
})

test('a number taken over makes only greater ids, whatever the clock says', async () => {
  const control = new MemoryControlStore()
  const clock = new SetClock()
  const seen = new Set<bigint>()
  let newest = 0
  for (let round = 0; round < 1_200; round++) {
    const lease = await WorkerLease.take({ control, clock })
    const id = lease.eventId()
    expect(seen.has(id)).toBe(false)
    seen.add(id)
    newest = Math.max(newest, msOf(id))
    clock.now += 1_000
  }
  expect(newest).toBe(clock.now - 1_000)
})

test('ids end with the lease when it can not be renewed', async () => {
  const clock = new SetClock()
  const lease = await WorkerLease.take({ control: new MemoryControlStore(), clock })
  lease.postId()
  clock.now += LEASE_MS
  expect(() => lease.postId()).toThrow(expect.objectContaining({ code: 'IDS_UNAVAILABLE' }))
})

test('a number that is given back is free at once', async () => {
  const control = new MemoryControlStore()
  const clock = new SetClock()
  const stopping = new AbortController()
  const lease = await WorkerLease.take({ control, clock })
  const kept = lease.keep(stopping.signal, () => undefined)
  stopping.abort()
  await kept
  const text = Buffer.from((await control.get('workers'))?.value ?? []).toString()
  const until = (JSON.parse(text) as Record<string, number>)[lease.worker]
  expect(until).toBeLessThan(clock.now)
})
