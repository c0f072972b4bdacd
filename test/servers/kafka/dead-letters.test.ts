// Records of the topics that are no events: kept aside with their place, counted, and passed over.

import { Kafka, logLevel } from 'kafkajs'
import { expect, test, vi } from 'vitest'
import { topicNames } from '../../../infra/kafka/kafka-options.ts'
import { postBy } from '../../contract/sample-events.ts'
import { freshLog } from './fresh-log.ts'

test('a record that is no event goes to the dead-letter topic, and its partition goes on', async () => {
  const log = await freshLog({ partitionsPerTopic: 1 })
  const firehose = await log.open()
  const names = topicNames(log.kafka.prefix)
  const kafka = new Kafka({ brokers: [...log.kafka.brokers], logLevel: logLevel.NOTHING })
  const producer = kafka.producer({ createPartitioner: () => () => 0 })
  const reader = kafka.consumer({ groupId: `${log.kafka.prefix}-dead-letters` })
  await Promise.all([producer.connect(), reader.connect()])
  try {
    await firehose.append([postBy('anna', 'before')])
    const garbage = Buffer.from([255, 255, 255])
    await producer.send({ topic: names.public, messages: [{ key: 'k', value: garbage }] })
    await producer.send({ topic: names.public, messages: [{ key: 'gone', value: null }] })
    await firehose.append([postBy('anna', 'after')])

    const stop = new AbortController()
    const kinds: string[] = []
    for await (const { records } of firehose.follow([0, 0], {
      signal: stop.signal,
      recordsMax: 1,
    })) {
      kinds.push(...records.map(({ event }) => event.fact.kind))
      if (kinds.length === 4) stop.abort()
    }
    expect(kinds).toEqual(['post-created', 'unreadable', 'unreadable', 'post-created'])
    expect(firehose.counts.deadLetters).toEqual({ found: 2, lost: 0 })

    const letters: { key: string; value: Buffer | null; offset: string; reason: string }[] = []
    await reader.subscribe({ topic: names.deadLetter, fromBeginning: true })
    await reader.run({
      eachMessage: async ({ message: { key, value, headers } }) => {
        const text = (name: string) => String(headers?.[name])
        letters.push({
          key: String(key),
          value,
          offset: `${text('topic')} ${text('partition')} ${text('offset')}`,
          reason: text('reason'),
        })
      },
    })
    await vi.waitFor(() => expect(letters).toHaveLength(2), 10_000)
    const place = (offset: number) => ({
      key: `${names.public}-0@${offset}`,
      offset: `${names.public} 0 ${offset}`,
    })
    expect(letters).toMatchObject([place(1), place(2)])
    expect(letters[0]?.value).toEqual(garbage)
    expect(letters[0]?.reason).toContain('not an event')
  } finally {
    await Promise.all([producer.disconnect(), reader.disconnect()])
    await log.close()
  }
})

test('without a dead-letter topic the partition goes on too, and the loss is counted', async () => {
  const log = await freshLog({ partitionsPerTopic: 1 })
  const firehose = await log.open({ appendMs: 1, closeMs: 100 })
  const names = topicNames(log.kafka.prefix)
  await log.admin.deleteTopics({ topics: [names.deadLetter] })
  const kafka = new Kafka({ brokers: [...log.kafka.brokers], logLevel: logLevel.NOTHING })
  const producer = kafka.producer({ createPartitioner: () => () => 0 })
  await producer.connect()
  try {
    await producer.send({ topic: names.public, messages: [{ value: 'no event' }, { value: 'x' }] })
    const stop = new AbortController()
    for await (const { records } of firehose.follow([0, 0], {
      signal: stop.signal,
      recordsMax: 9,
    })) {
      expect(records).toHaveLength(2)
      stop.abort()
    }
    await vi.waitFor(() => expect(firehose.counts.deadLetters).toEqual({ found: 2, lost: 2 }))
  } finally {
    await producer.disconnect()
    await log.close()
  }
})
