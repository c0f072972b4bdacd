// Parts of a copy that want to go on at the same time go on one after the other, and none once the copy has ended.

import { expect, test } from 'vitest'
import { Throttle } from '../../../cells/activities/throttle.ts'

/** Turns are given by hand. */
function throttled(p99Ms = 1) {
  const waiting: (() => void)[] = []
  const slept: number[] = []
  const ending = new AbortController()
  let nowMs = 0
  const throttle = new Throttle({
    clock: {
      nowMs: () => nowMs,
      sleep: async (ms) => void slept.push(ms),
      yield: () => new Promise((resolve) => waiting.push(resolve)),
    },
    signal: ending.signal,
    busyness: async () => ({ readP99Ms: nowMs === 0 ? 1 : p99Ms, lagMs: 0 }),
  })
  const turn = async (): Promise<void> => {
    waiting.shift()?.()
    // Whatever follows from it has happened then.
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { throttle, turn, ending, slept, waiting, passMs: (ms: number) => (nowMs += ms) }
}

test('of parts that wait for their turn each turn lets one go on, in the order they came', async () => {
  const { throttle, turn, waiting } = throttled()
  const went: number[] = []
  for (const part of [1, 2, 3]) void throttle.turn().then(() => went.push(part))
  await turn()
  // The others have not even asked the clock yet but for the next one.
  expect(waiting).toHaveLength(1)
  expect(went).toHaveLength(0)
  await turn()
  expect(went).toEqual([1])
  await turn()
  expect(went).toEqual([1, 2])
  await turn()
  expect(went).toEqual([1, 2, 3])
})

test('who waits when the copy ends goes on no more', async () => {
  const { throttle, turn, ending } = throttled()
  const ended = throttle.turn().catch((error: unknown) => error)
  ending.abort(new Error('given up'))
  await turn()
  await turn()
  expect(await ended).toEqual(new Error('given up'))
  await expect(throttle.step()).rejects.toThrow('given up')
})

test('a copy pauses once a full step was taken while its source is busy', async () => {
  const { throttle, turn, slept, passMs } = throttled(100)
  const part = async (): Promise<void> => {
    const taken = throttle.step(0.5)
    for (let i = 0; i < 3; i++) await turn()
    await taken
  }
  await part()
  await part()
  expect(slept).toEqual([])
  passMs(500)
  await part()
  expect(slept).toEqual([])
  await part()
  expect(slept).toHaveLength(1)
})
