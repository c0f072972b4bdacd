// Appending to Kafka: what callers are told, and what stands in the log, when requests fail in each way they can.

import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { FirehoseBusy } from '../../../cells/ports/firehose.ts'
import { AppendUnconfirmed } from '../../../infra/kafka/append-call.ts'
import { Appender, type Outgoing } from '../../../infra/kafka/appender.ts'
import { BrokerError } from '../../../infra/kafka/broker-error.ts'
import { KAFKA_LIMITS, type KafkaLimits } from '../../../infra/kafka/kafka-limits.ts'
import { silentLog } from '../../../infra/kafka/kafka-log.ts'
import { type Fate, FakeBrokers } from './fake-brokers.ts'

const lanes = [0, 1, 2, 3].map((partition) => ({ topic: 'log', partition }))
const quick = { retryMs: 1, retryMaxMs: 2, lingerMs: 1, closeMs: 50 }
const at = (partition: number) => ({ topic: 'log', partition })

let brokers: FakeBrokers
let appender: Appender

const open = (limits: Partial<KafkaLimits> = {}) => {
  appender = new Appender({
    open: brokers.open,
    lanes,
    limits: { ...KAFKA_LIMITS, ...quick, ...limits },
    log: silentLog,
  })
}

beforeEach(() => {
  brokers = new FakeBrokers()
  open()
})
afterEach(() => appender.close())

const record = (lane: number, text: string): Outgoing => ({
  lane,
  message: { key: 'k', value: Buffer.from(text) },
})
const append = (lane: number, ...texts: string[]) =>
  appender.append(texts.map((text) => record(lane, text)))

test('appends of many callers share requests, and each gets its own offsets', async () => {
  const texts = Array.from({ length: 400 }, (_, i) => `${i}`)
  const appended = await Promise.all(texts.map((text, i) => append(i % 4, text)))
  expect(brokers.requests.length).toBeLessThan(40)
  for (const [i, [one]] of appended.entries()) {
    expect(one).toMatchObject({ partition: i % 4, appendedAtMs: 1_000 })
    expect(brokers.values(at(i % 4))[one?.offset ?? -1]).toBe(texts[i])
  }
})

test('an append that finds no request under way does not linger, nor does what waited for its answer', async () => {
  open({ lingerMs: 3_600_000 })
  const first = append(0, 'alone')
  await expect.poll(() => brokers.requests.length).toBe(1)
  await Promise.all([first, append(0, 'while it is under way'), append(2, 'and another')])
  expect(brokers.requests.length).toBeLessThanOrEqual(3)
})

test('a request holds no more than its bounds, a batch neither', async () => {
  open({ requestRecordsMax: 10, batchBytesMax: 1_000 })
  const texts = Array.from({ length: 60 }, (_, i) => `${i}`.padEnd(200))
  await Promise.all(texts.map((text) => append(0, text)))
  expect(brokers.values(at(0))).toEqual(texts)
  for (const request of brokers.requests) {
    for (const { messages } of request) expect(messages.length).toBeLessThanOrEqual(3)
  }
})

describe('a request without an answer is repeated, and each record stands there once, in order', () => {
  test.each(['answer lost', 'lost on the way', 'one partition left out'] as const)(
    '%s',
    async (fate) => {
      brokers.fates.push(fate, 'fine', fate, fate)
      const texts = Array.from({ length: 50 }, (_, i) => `${i}`)
      for (let i = 0; i < texts.length; i += 10) {
        await Promise.all(texts.slice(i, i + 10).map((text) => append(0, text)))
      }
      expect(brokers.values(at(0))).toEqual(texts)
      expect(brokers.producers).toBe(1)
    },
  )
})

test('records of one call keep their order over several batches that fail', async () => {
  open({ requestRecordsMax: 3 })
  brokers.fates.push('fine', 'answer lost', 'lost on the way', 'fine', 'answer lost')
  const texts = Array.from({ length: 20 }, (_, i) => `${i}`)
  await append(1, ...texts)
  expect(brokers.values(at(1))).toEqual(texts)
})

test('whatever requests meet, each record stands there once, in order, where its caller was told', async () => {
  const fate = fc.constantFrom<Fate>(
    'fine',
    'answer lost',
    'lost on the way',
    'one partition left out',
    new BrokerError('unreachable', 'NOT_LEADER_FOR_PARTITION'),
  )
  const calls = fc.array(fc.array(fc.nat(3), { minLength: 1, maxLength: 8 }), { maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(fc.array(fate, { maxLength: 20 }), calls, async (fates, lanesOfCalls) => {
      brokers = new FakeBrokers()
      brokers.fates.push(...fates)
      open({ requestRecordsMax: 4 })
      const given = lanesOfCalls.map((lanesOfCall, call) =>
        lanesOfCall.map((lane, i) => ({ lane, text: `${call} ${i}` })),
      )
      const told = await Promise.all(
        given.map((texts) => appender.append(texts.map(({ lane, text }) => record(lane, text)))),
      )
      await appender.close()
      for (const [number, lane] of lanes.entries()) {
        const expected = given.flat().filter((one) => one.lane === number)
        expect(brokers.values(lane)).toEqual(expected.map(({ text }) => text))
      }
      for (const [i, { lane, text }] of given.flat().entries()) {
        expect(brokers.values(at(lane))[told.flat()[i]?.offset ?? -1]).toBe(text)
      }
    }),
    { numRuns: 60 },
  )
})

test('closing gives up what Kafka does not answer', async () => {
  brokers.fates.push('never answered')
  const lost = append(2, 'lost')
  const ended = Promise.allSettled([lost])
  await appender.close()
  expect(await ended).toMatchObject([{ reason: { code: 'FIREHOSE_UNCONFIRMED' } }])
})

test('after an unknown outcome the partition goes on under a new producer id', async () => {
  open({ appendMs: 1 })
  brokers.fates.push('never answered')
  await expect(append(0, 'first')).rejects.toThrow(AppendUnconfirmed)
  const retried = async (): Promise<number | undefined> => {
    // The bound is short: an append that did not make it in time is tried again.
    const [appended] = await append(0, 'second').catch(() => [])
    return appended?.offset ?? retried()
  }
  const offset = await retried()
  expect(brokers.values(at(0))[offset ?? -1]).toBe('second')
  expect(brokers.values(at(0))[0]).toBe('first')
  expect(brokers.producers).toBeGreaterThan(1)
})

test('while Kafka is down appends end as busy: nothing was sent', async () => {
  open({ appendMs: 1 })
  brokers.isDown = true
  await expect(append(0, 'a')).rejects.toThrow(FirehoseBusy)
  expect(brokers.requests).toHaveLength(0)
  expect(appender.bytesInFlight).toBe(0)
})

test('appends that waited for Kafka are stored when it is back', async () => {
  brokers.isDown = true
  const waiting = Promise.all([append(0, 'a'), append(1, 'b')])
  brokers.isDown = false
  await waiting
  expect(brokers.values(at(0))).toEqual(['a'])
  expect(brokers.values(at(1))).toEqual(['b'])
})

test('beyond the bound appends are refused whole; a single one may be larger, alone', async () => {
  open({ inFlightBytesMax: 10_000 })
  const attempts = Array.from({ length: 50 }, (_, i) => append(i % 4, 'x'.repeat(1_000)))
  const outcomes = await Promise.allSettled(attempts)
  const refused = outcomes.flatMap((o) => (o.status === 'rejected' ? [o.reason as unknown] : []))
  expect(refused.length).toBeGreaterThan(0)
  expect(refused.length).toBeLessThan(50)
  for (const reason of refused) expect(reason).toBeInstanceOf(FirehoseBusy)
  const stored = lanes.reduce((sum, lane) => sum + brokers.values(lane).length, 0)
  expect(stored).toBe(50 - refused.length)
  expect(await append(0, 'x'.repeat(50_000))).toHaveLength(1)
})

test('a batch that the brokers refuse fails its own callers only', async () => {
  brokers.refusedValue = 'bad'
  const outcomes = await Promise.allSettled([append(0, 'a'), append(2, 'bad'), append(1, 'c')])
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(await append(2, 'd')).toHaveLength(1)
  expect(brokers.values(at(2))).toEqual(['d'])
  expect(brokers.values(at(0))).toEqual(['a'])
})

test('a producer that the brokers forgot goes on under a new id', async () => {
  await append(0, 'a')
  await append(0, 'b')
  brokers.forgetProducers()
  await append(0, 'c')
  expect(brokers.values(at(0))).toEqual(['a', 'b', 'c'])
  expect(brokers.producers).toBe(2)
})

test('a topic without append times is an error that says what to do', async () => {
  brokers.appendTimeMs = -1
  await expect(append(0, 'a')).rejects.toThrow('LogAppendTime')
})

test('an error that passes makes a new connection', async () => {
  brokers.fates.push(new BrokerError('unreachable', 'NOT_LEADER_FOR_PARTITION'))
  await append(3, 'a')
  expect(brokers.connections).toBe(2)
})

test('closing confirms what was accepted, and takes no more', async () => {
  const accepted = append(0, 'a')
  await appender.close()
  expect(await accepted).toHaveLength(1)
  await expect(append(0, 'b')).rejects.toThrow('closed')
})
