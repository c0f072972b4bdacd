// Writes: what is acknowledged is in the log; what is not says whether it may have happened.

import { expect, test } from 'vitest'
import { userRef } from '../../../../cells/model/user-key.ts'
import { type Appended, type Firehose, FirehoseBusy } from '../../../../cells/ports/firehose.ts'
import { MemoryControlStore } from '../../../../infra/memory/control-store.ts'
import { ConsistencyTokens } from '../../../../services/gateway/consistency-tokens.ts'
import { EventWriter, type ProducedFact } from '../../../../services/gateway/event-writer.ts'
import { WorkerLease } from '../../../../services/gateway/worker-lease.ts'
import { Metrics } from '../../../../services/runtime/metrics.ts'

const NOW_MS = Date.UTC(2026, 0, 1)
const clock = {
  nowMs: () => NOW_MS,
  sleep: () => Promise.resolve(),
  yield: () => Promise.resolve(),
}
const identity = { logId: 'log', partitionsPerTopic: 2 }
const tokens = new ConsistencyTokens(identity)
const deleted = (id: string): ProducedFact => ({ kind: 'user-deleted', user: userRef(id) })
const never = new AbortController().signal

type Append = Firehose['append']
const appendedAt =
  (appendedAtMs: number): Append =>
  async (events) =>
    events.map((_, index): Appended => ({ partition: 1, offset: 10 + index, appendedAtMs }))

async function writerOn(append: Append, writeBytesInFlightMax = 100_000): Promise<EventWriter> {
  const lease = await WorkerLease.take({ control: new MemoryControlStore(), clock })
  return new EventWriter({
    firehose: { identity, append } as Firehose,
    clock,
    lease,
    tokens,
    metrics: new Metrics(),
    limits: { repeatWindowMs: 120_000, writeBytesInFlightMax },
  })
}

test('answers with the place after the events', async () => {
  const writer = await writerOn(appendedAt(NOW_MS))
  const { position, token } = await writer.write([deleted('a'), deleted('b')], never)
  expect(position).toEqual([0, 12, 0, 0])
  expect(tokens.readAll([token])).toEqual([0, 12, 0, 0])
})

test.each([
  ['a minute', 60_000, undefined],
  ['more than a minute', 60_001, 'CLOCK_SKEW'],
  ['a minute behind', -60_000, undefined],
  ['more than a minute behind', -60_001, 'CLOCK_SKEW'],
])('with a log whose clock is %s ahead', async (_, aheadMs, code) => {
  const writer = await writerOn(appendedAt(NOW_MS + aheadMs))
  const outcome = await writer.write([deleted('a')], never).then(
    () => undefined,
    (error: { code: string }) => error.code,
  )
  expect(outcome).toBe(code)
})

test('a busy log took nothing, and says so', async () => {
  const writer = await writerOn(() => Promise.reject(new FirehoseBusy('full')))
  await expect(writer.write([deleted('a')], never)).rejects.toMatchObject({ code: 'FIREHOSE_BUSY' })
})

test('a log that fails, or does not answer in time, leaves the outcome open', async () => {
  const failing = await writerOn(() => Promise.reject(new Error('disk')))
  const outcome = { code: 'WRITE_OUTCOME_UNKNOWN' }
  await expect(failing.write([deleted('a')], never)).rejects.toMatchObject(outcome)
  const silent = await writerOn(() => new Promise(() => undefined))
  const soon = new AbortController()
  const written = silent.write([deleted('a')], soon.signal)
  soon.abort()
  await expect(written).rejects.toMatchObject(outcome)
  await expect(silent.write([deleted('a')], AbortSignal.abort())).rejects.toMatchObject(outcome)
})

test('of several steps, a failure after the first leaves the outcome open', async () => {
  let calls = 0
  const writer = await writerOn((events) =>
    ++calls === 1 ? appendedAt(NOW_MS)(events) : Promise.reject(new FirehoseBusy('full')),
  )
  const steps = [[deleted('a')], [deleted('b')]]
  await expect(writer.writeInTurn(steps, never)).rejects.toMatchObject({
    code: 'WRITE_OUTCOME_UNKNOWN',
  })
  calls = 1
  await expect(writer.writeInTurn(steps, never)).rejects.toMatchObject({ code: 'FIREHOSE_BUSY' })
})

test('bytes count until the log has settled them, also when nobody waits any more', async () => {
  let settle: (appended: Appended[]) => void = () => undefined
  const writer = await writerOn(() => new Promise((resolve) => (settle = resolve)), 600)
  const two = [deleted('a'), deleted('b')]
  await expect(writer.write(two, AbortSignal.abort())).rejects.toBeDefined()
  await expect(writer.write(two, never)).rejects.toMatchObject({ code: 'OVERLOADED' })
  settle([])
  await Promise.resolve()
  const accepted = writer.write(two, never)
  settle([])
  expect((await accepted).appended).toEqual([])
})
