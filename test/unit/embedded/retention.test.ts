// Retention drops by age, again and again, until it is stopped.

import { expect, test } from 'vitest'
import { retain } from '../../../infra/embedded/retention.ts'

test('what is older than the age is dropped after each pause, until the signal aborts', async () => {
  const stop = new AbortController()
  const droppedBefore: number[] = []
  let now = 10_000
  const clock = {
    nowMs: () => now,
    yield: async () => {},
    sleep: async (ms: number) => {
      now += ms
      if (droppedBefore.length === 3) stop.abort()
    },
  }
  const firehose = { dropBefore: async (timeMs: number) => void droppedBefore.push(timeMs) }
  await retain(firehose, { clock, ageMs: 1_000, everyMs: 50, signal: stop.signal })
  expect(droppedBefore).toEqual([9_000, 9_050, 9_100])
})
