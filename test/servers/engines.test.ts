// The servers that all tests here rely on are there, and are what they claim to be.

import { expect, inject, test } from 'vitest'
import { askCassandra, kafkaAnswers, redisAnswers } from '../../infra/local/answers.ts'

const { kafka, cassandra, redis } = inject('engines')

test('Kafka answers', async () => {
  await expect(kafkaAnswers({ ...kafka, tls: undefined, sasl: undefined })).resolves.toBeUndefined()
})

test('Cassandra answers, and refuses what it does not know', async () => {
  const options = { ...cassandra, credentials: undefined, tls: undefined }
  await expect(askCassandra(options, 'SELECT key FROM system.local')).resolves.toBeUndefined()
  await expect(askCassandra(options, 'SELECT key FROM system.nothing')).rejects.toThrow('nothing')
})

test('Redis answers', async () => {
  const options = { ...redis, password: undefined, tls: undefined }
  await expect(redisAnswers(options)).resolves.toBeUndefined()
})
