// The load generator: on time whatever the server does, and honest about who waited.

import { expect, test } from 'vitest'
import { type LoadKind, runOpenLoop } from '../../../../../services/cli/load/open-loop.ts'
import { seededRandom, zipfRanks } from '../../../../../services/cli/load/random.ts'

/** A clock that only waiting advances. */
function virtualClock() {
  let nowMs = 0
  return {
    nowMs: () => nowMs,
    waitMs: async (ms: number) => {
      nowMs += ms
      await new Promise(setImmediate)
    },
  }
}

function loopOf(send: (clock: ReturnType<typeof virtualClock>) => Promise<void>, limits = {}) {
  const clock = virtualClock()
  const latencies: number[] = []
  const failures: unknown[] = []
  const kind: LoadKind = { name: 'read', perSecond: 100, send: () => send(clock) }
  const result = runOpenLoop({
    kinds: [kind],
    durationMs: 1_000,
    inFlightMax: 10,
    waitingMax: 1_000,
    pauseMs: (perSecond) => 1_000 / perSecond,
    clock,
    stopped: () => false,
    answered: (_, latencyMs, error) => {
      latencies.push(latencyMs)
      if (error !== undefined) failures.push(error)
    },
    ...limits,
  })
  return { result, latencies, failures }
}

test('a quick server gets every call on time', async () => {
  const { result, latencies } = loopOf(() => Promise.resolve())
  expect((await result).notSent.get('read')).toBe(0)
  expect(latencies).toHaveLength(100)
})

test('a stall is charged to everyone who came while it lasted', async () => {
  let stalled = true
  let release = () => {}
  const stall = new Promise<void>((resolve) => {
    release = resolve
  })
  const { result, latencies } = loopOf(
    async (clock) => {
      if (clock.nowMs() >= 500) {
        stalled = false
        release()
      }
      if (stalled) await stall
    },
    { inFlightMax: 100 },
  )
  await result
  expect(latencies).toHaveLength(100)
  // Half of the calls came in the half second that it lasted: they waited 250 ms on average.
  const waited = latencies.filter((ms) => ms > 20)
  expect(waited.length).toBeGreaterThan(40)
  expect(Math.max(...latencies)).toBeGreaterThan(480)
})

test('beyond its bounds nothing is sent, and that is counted', async () => {
  let release = () => {}
  const stall = new Promise<void>((resolve) => {
    release = resolve
  })
  const { result, latencies } = loopOf(
    async (clock) => {
      if (clock.nowMs() > 900) release()
      await stall
    },
    { inFlightMax: 2, waitingMax: 3, stopped: () => false },
  )
  release()
  const { notSent, waitingPeak } = await result
  expect(latencies.length + (notSent.get('read') ?? 0)).toBe(100)
  expect(waitingPeak).toBeLessThanOrEqual(3)
})

test('failures are told, and the load goes on', async () => {
  const { result, latencies, failures } = loopOf(() => Promise.reject(new Error('no')))
  await result
  expect(latencies).toHaveLength(100)
  expect(failures).toHaveLength(100)
})

test('Zipf: the first author is drawn in proportion, and a seed repeats the draws', () => {
  const draw = zipfRanks(100, 1, seededRandom(7))
  const again = zipfRanks(100, 1, seededRandom(7))
  const draws = Array.from({ length: 20_000 }, draw)
  expect(Array.from({ length: 20_000 }, again)).toEqual(draws)
  const first = draws.filter((rank) => rank === 0).length
  // 1 / (1 + 1/2 + ... + 1/100) = 19.3 %
  expect(first / draws.length).toBeCloseTo(0.193, 1)
  expect(Math.max(...draws)).toBeLessThan(100)
})
