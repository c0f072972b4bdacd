// How long work goes on at a time.

import { expect, test } from 'vitest'
import { Slices } from '../../../cells/activities/slices.ts'

const LEAST_MS = 2

/** A clock whose turns of others take as long as is said. */
function slicesAmid(othersMs: number) {
  const clock = {
    ms: 1_000,
    nowMs: () => clock.ms,
    yield: () => Promise.resolve(void (clock.ms += othersMs)),
  }
  const slices = new Slices(clock, LEAST_MS)
  const lengthOf = async (): Promise<number> => {
    await slices.next()
    const startMs = clock.ms
    while (!slices.isOver) clock.ms++
    return clock.ms - startMs
  }
  return { clock, slices, lengthOf }
}

test('a slice is a third of what others took before it, within bounds', async () => {
  expect(await slicesAmid(0).lengthOf()).toBe(LEAST_MS)
  expect(await slicesAmid(15).lengthOf()).toBe(5)
  expect(await slicesAmid(1_000).lengthOf()).toBe(5 * LEAST_MS)
})

test('those who wait at the same time wait for one turn', async () => {
  const { clock, slices } = slicesAmid(7)
  await Promise.all([slices.next(), slices.next(), slices.next()])
  expect(clock.ms).toBe(1_007)
})

test('a clock that steps back ends the slice', async () => {
  const { clock, slices } = slicesAmid(0)
  await slices.next()
  clock.ms -= 3_600_000
  expect(slices.isOver).toBe(true)
})
