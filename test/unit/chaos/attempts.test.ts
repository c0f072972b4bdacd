// What a client knows after its attempts is what the API promises, not more.

import { expect, test } from 'vitest'
import { CellfeedError } from '../../../services/client/connect.ts'
import { History } from '../../chaos/history/history.ts'
import { attempt } from '../../chaos/load/attempts.ts'

const failing = (reason: string) =>
  new CellfeedError({ code: 'UNAVAILABLE', reason, message: reason })

/** Calls that fail so, one after the other, and then succeed. */
async function outcomeAfter(...reasons: string[]) {
  const history = new History()
  const operation = history.markRead('here', 'ann', '1')
  const signal = new AbortController().signal
  const attempting = { history, timeoutMs: 10_000, random: () => 0, signal }
  await attempt(attempting, operation, async () => {
    const reason = reasons.shift()
    if (reason !== undefined) throw failing(reason)
  })
  return operation.outcome
}

test('a write that succeeds when repeated is acknowledged', async () => {
  expect(await outcomeAfter()).toBe('acknowledged')
  expect(await outcomeAfter('WRITE_OUTCOME_UNKNOWN')).toBe('acknowledged')
})

test('a write that was refused at the last attempt may still have happened at the first', async () => {
  expect(await outcomeAfter('UNREACHABLE', 'POST_DELETED')).toBe('unknown')
})

test('a write that every attempt refused did not happen', async () => {
  expect(await outcomeAfter('CELL_UNAVAILABLE', 'POST_NOT_FOUND')).toBe('refused')
})

test('a reason that nobody gave says nothing', async () => {
  expect(await outcomeAfter('')).toBe('unknown')
})
