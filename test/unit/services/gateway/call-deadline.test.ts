// Deadlines of calls: the signal aborts a little before, the call is answered for at the end, whatever its handler does.

import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { CallDeadline } from '../../../../services/gateway/call-deadline.ts'

const limits = { deadlineDefaultMs: 10_000, deadlineMaxMs: 60_000, answerMarginMs: 50 }
const forever = () => new Promise<never>(() => undefined)
const outcomeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: { code: string }) => error.code,
  )

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

test.each([
  ['the client’s', 1_000, 1_000],
  ['the server’s, if the client has none', Number.POSITIVE_INFINITY, 10_000],
  ['the greatest, if the client’s is greater', 3_600_000, 60_000],
])('is %s', async (_, deadlineMs, givenMs) => {
  const deadline = new CallDeadline(deadlineMs, 0, limits)
  const outcome = outcomeOf(deadline.race(forever()))
  await vi.advanceTimersByTimeAsync(givenMs - 51)
  expect(deadline.signal.aborted).toBe(false)
  await vi.advanceTimersByTimeAsync(1)
  expect(deadline.signal.aborted).toBe(true)
  await vi.advanceTimersByTimeAsync(50)
  expect(await outcome).toBe('TOO_LATE')
})

test('leaves work that ends in time alone, and no timer behind', async () => {
  const deadline = new CallDeadline(1_000, 0, limits)
  expect(await outcomeOf(deadline.race(Promise.resolve()))).toBe('done')
  expect(deadline.signal.aborted).toBe(false)
  expect(vi.getTimerCount()).toBe(0)
})

test('of a client that went away ends the call at once', async () => {
  const deadline = new CallDeadline(1_000, 0, limits)
  const outcome = outcomeOf(deadline.race(forever()))
  deadline.cancel()
  expect([await outcome, deadline.signal.aborted]).toEqual(['TOO_LATE', true])
  expect(vi.getTimerCount()).toBe(0)
})

test('that is over already gives no time', async () => {
  const deadline = new CallDeadline(0, 5_000, limits)
  const outcome = outcomeOf(deadline.race(forever()))
  await vi.advanceTimersByTimeAsync(1)
  expect(await outcome).toBe('TOO_LATE')
})

test('of a write leaves open what the write did', async () => {
  const late = new CallDeadline(1_000, 0, limits, 'WRITE_OUTCOME_UNKNOWN')
  const outcome = outcomeOf(late.race(forever()))
  await vi.advanceTimersByTimeAsync(1_000)
  expect(await outcome).toBe('WRITE_OUTCOME_UNKNOWN')
})
