// What a failed request means is read from the broker's answer, however the client wrapped it.

import { expect, test } from 'vitest'
import { type BrokerErrorKind, brokerError } from '../../../infra/kafka/broker-error.ts'

const answer = (type: string) => Object.assign(new Error(`answer ${type}`), { type })
const named = (name: string) => Object.assign(new Error('no'), { name })

const cases: readonly (readonly [string, unknown, BrokerErrorKind])[] = [
  ['an offset outside', answer('OFFSET_OUT_OF_RANGE'), 'out-of-range'],
  ['an unknown topic', answer('UNKNOWN_TOPIC_OR_PARTITION'), 'unknown-topic'],
  ['a number out of order', answer('OUT_OF_ORDER_SEQUENCE_NUMBER'), 'sequence'],
  ['a batch too large', answer('MESSAGE_TOO_LARGE'), 'refused'],
  ['a wrong password', named('KafkaJSSASLAuthenticationError'), 'refused'],
  ['another leader', answer('NOT_LEADER_FOR_PARTITION'), 'unreachable'],
  ['too few replicas', answer('NOT_ENOUGH_REPLICAS'), 'unreachable'],
  ['a closed connection', named('KafkaJSConnectionClosedError'), 'unreachable'],
  ['a mistake inside the client', new TypeError('x is undefined'), 'unreachable'],
  ['no error at all', 'text', 'unreachable'],
]

test.each(cases)('%s', (_, error, kind) => {
  expect(brokerError(error, 'reading').kind).toBe(kind)
})

test.each(cases)('%s, wrapped twice', (_, error, kind) => {
  const twice = new Error('outer', { cause: new Error('retries', { cause: error }) })
  expect(brokerError(twice, 'reading').kind).toBe(kind)
})

test('the message says during what, and what the broker answered', () => {
  const wrapped = new Error('retries exceeded', { cause: answer('NOT_ENOUGH_REPLICAS') })
  expect(brokerError(wrapped, 'appending').message).toBe(
    'appending: NOT_ENOUGH_REPLICAS, answer NOT_ENOUGH_REPLICAS',
  )
})
