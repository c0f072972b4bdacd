// Following a log on Kafka: what ends a follower and what it only waits out, how far it reads ahead, and how much it asks for.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { FirehoseGap, type LogBatch } from '../../../cells/ports/firehose.ts'
import { BrokerError } from '../../../infra/kafka/broker-error.ts'
import type { DeadLetter } from '../../../infra/kafka/dead-letters.ts'
import { Follower } from '../../../infra/kafka/follower.ts'
import { KAFKA_LIMITS, type KafkaLimits } from '../../../infra/kafka/kafka-limits.ts'
import { silentLog } from '../../../infra/kafka/kafka-log.ts'
import { FirehoseMismatch } from '../../../infra/kafka/log-identity.ts'
import { FakeLog } from './fake-log.ts'

// The fake log counts a record as a byte.
const live = { waitMs: 1, bytesMax: 2, partitionBytesMax: 2 }
const catchUp = { waitMs: 1, bytesMax: 50, partitionBytesMax: 50 }
const quick = {
  retryMs: 1,
  retryMaxMs: 1,
  identityCheckMs: 0,
  vanishedMs: 1,
  liveFetch: live,
  catchUpFetch: catchUp,
  catchUpRecords: 20,
}

let log: FakeLog
let dead: DeadLetter[]
let stop: AbortController

beforeEach(() => {
  log = new FakeLog()
  dead = []
  stop = new AbortController()
})
afterEach(() => stop.abort())

function follow(
  options: { from?: readonly number[]; recordsMax?: number; limits?: Partial<KafkaLimits> } = {},
) {
  const { from = [0, 0, 0, 0], recordsMax = 100, limits } = options
  const parts = {
    limits: { ...KAFKA_LIMITS, ...quick, ...limits },
    log: silentLog,
    partitions: log.partitions,
    open: log.open,
    reader: log.reader,
    deadLetters: { put: (letter: DeadLetter) => dead.push(letter) },
    closeLater: (link: { close(): Promise<void> }) => void link.close(),
  }
  const follower = new Follower(parts, from, { signal: stop.signal, recordsMax })
  return { follower, batches: follower.batches() }
}

function textsOf({ records }: LogBatch): string[] {
  return records.map(({ event: { fact } }) =>
    fact.kind === 'post-created' ? new TextDecoder().decode(fact.content) : fact.kind,
  )
}

async function take(batches: AsyncGenerator<LogBatch>, count: number): Promise<string[]> {
  const texts: string[] = []
  while (texts.length < count) {
    const { value, done } = await batches.next()
    if (done === true) throw new Error('the follower ended early')
    texts.push(...textsOf(value))
  }
  return texts
}

/** Kafka is away until the follower has noticed. */
async function outage(): Promise<void> {
  const before = log.attempts
  log.fail(new BrokerError('unreachable', 'closed'))
  await vi.waitFor(() => expect(log.attempts).toBeGreaterThan(before))
  log.failure = undefined
}

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => `${from + i}`)

test('Kafka going away is waited out: nothing is missed, nothing comes twice', async () => {
  log.append(0, ...numbers(0, 5))
  const { batches } = follow()
  const texts = await take(batches, 1)
  const rest = take(batches, 9 - texts.length)
  await outage()
  log.append(0, ...numbers(5, 9))
  expect([...texts, ...(await rest)]).toEqual(numbers(0, 9))
  expect(log.opened).toBeGreaterThan(1)
})

test('every connection is closed in the end', async () => {
  log.append(0, 'a')
  const { batches } = follow()
  await take(batches, 1)
  const next = batches.next()
  await outage()
  log.append(0, 'b')
  await next
  await batches.return(undefined)
  expect(log.closed).toBe(log.opened)
})

test('no more is fetched ahead than one answer of each leader', async () => {
  log.append(0, ...numbers(0, 100))
  const { batches } = follow({ limits: { catchUpRecords: 1_000 } })
  await take(batches, 1)
  // Two leaders: the one with records was asked twice, the other waits for its first answer.
  expect(log.sizes).toHaveLength(3)
  await take(batches, 2)
  expect(log.sizes).toHaveLength(4)
})

test('fetches are large while the follower is far behind, and small again when it has caught up', async () => {
  log.append(0, ...numbers(0, 100))
  const { batches } = follow()
  await take(batches, 100)
  expect(log.sizes).toContain(catchUp)
  log.sizes.length = 0
  const coming = take(batches, 1)
  log.append(0, 'live')
  await coming
  log.append(0, 'live')
  await take(batches, 1)
  expect(log.sizes.at(-1)).toBe(live)
})

test('answers are handed on in slices', async () => {
  log.append(1, ...numbers(0, 30))
  const { batches } = follow({ recordsMax: 4, limits: { liveFetch: catchUp } })
  for (let from = 0; from < 30; from += 4) {
    const { value } = await batches.next()
    const to = Math.min(30, from + 4)
    expect(value).toMatchObject({ partition: 1, nextOffset: to })
    expect(textsOf(value)).toEqual(numbers(from, to))
  }
})

describe('what ends a follower with a gap', () => {
  test('a start before the log, and one behind its end', async () => {
    log.append(0, ...numbers(0, 10))
    log.dropBefore(0, 5)
    await expect(follow({ from: [4, 0, 0, 0] }).batches.next()).rejects.toThrow(FirehoseGap)
    await expect(follow({ from: [11, 0, 0, 0] }).batches.next()).rejects.toThrow('made anew')
    expect(await take(follow({ from: [5, 0, 0, 0] }).batches, 1)).toContain('5')
  })

  test('being overtaken by retention', async () => {
    log.append(0, ...numbers(0, 10))
    const { batches } = follow()
    await take(batches, 1)
    log.dropBefore(0, 9)
    await expect(take(batches, 9)).rejects.toThrow('the log starts at 9')
  })

  test('a log made anew, shorter than where it stands', async () => {
    log.append(0, ...numbers(0, 4))
    const { batches } = follow()
    await take(batches, 4)
    log.makeAnew()
    log.append(0, 'other')
    await expect(batches.next()).rejects.toThrow(FirehoseGap)
  })

  test('a log made anew that has grown beyond where it stands', async () => {
    log.append(0, ...numbers(0, 4))
    const { batches } = follow()
    await take(batches, 4)
    log.makeAnew()
    log.append(0, ...numbers(0, 20))
    await expect(take(batches, 16)).rejects.toThrow('another record')
  })

  test('a log made anew before the first record came', async () => {
    log.append(0, ...numbers(0, 4))
    const { batches } = follow({ from: [4, 0, 0, 0] })
    const next = Promise.allSettled([batches.next()])
    await vi.waitFor(() => expect(log.sizes.length).toBeGreaterThan(0))
    log.makeAnew()
    log.append(0, ...numbers(0, 20))
    expect(await next).toMatchObject([{ reason: { code: 'FIREHOSE_GAP' } }])
  })

  test('a hole in the offsets', async () => {
    log.append(0, ...numbers(0, 4))
    log.loseRecord(0, 2)
    await expect(take(follow().batches, 4)).rejects.toThrow('offset 2 is missing')
  })

  test('topics that nobody knows any more', async () => {
    log.append(0, 'a')
    const { batches } = follow()
    await take(batches, 1)
    log.fail(new BrokerError('unknown-topic', 'UNKNOWN_TOPIC_OR_PARTITION'))
    await expect(batches.next()).rejects.toThrow('they were deleted')
  })

  test('another cluster at the same address', async () => {
    log.fail(new FirehoseMismatch('this is Kafka cluster B'))
    await expect(follow().batches.next()).rejects.toThrow(FirehoseGap)
  })
})

test('an answer that no retry changes ends it as it is', async () => {
  log.fail(new BrokerError('refused', 'TOPIC_AUTHORIZATION_FAILED'))
  await expect(follow().batches.next()).rejects.toThrow('TOPIC_AUTHORIZATION_FAILED')
})

test('retention of the one record that was remembered is no sign of another log', async () => {
  log.append(0, ...numbers(0, 4))
  const { batches } = follow()
  await take(batches, 4)
  log.dropBefore(0, 4)
  log.append(0, 'next')
  expect(await take(batches, 1)).toEqual(['next'])
})

test('a record that is no event goes to the dead letters with its place, and the rest goes on', async () => {
  log.append(2, 'before')
  log.appendRaw(2, Buffer.from([255, 255, 255]))
  log.append(2, 'after')
  expect(await take(follow().batches, 3)).toEqual(['before', 'unreadable', 'after'])
  const { topic, partition } = log.partitions.at(2)
  expect(dead).toMatchObject([{ topic, partition, offset: 1 }])
  expect(dead[0]?.record?.value).toEqual(Buffer.from([255, 255, 255]))
})

test('it ends when the signal aborts, and with an error when the firehose is closed', async () => {
  const { batches } = follow()
  const ending = batches.next()
  stop.abort()
  expect(await ending).toMatchObject({ done: true })
  stop = new AbortController()
  const { follower, batches: others } = follow()
  const next = Promise.allSettled([others.next()])
  follower.end(new Error('the firehose is closed'))
  expect(await next).toMatchObject([{ status: 'rejected' }])
})
