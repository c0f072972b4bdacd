// Partitions as Kafka's Java clients choose them. The numbers are what org.apache.kafka.common.utils.Utils.murmur2 of Kafka
// 4.1.1 answers, and toPositive of it modulo 8.

import { expect, test } from 'vitest'
import { murmur2, partitionOfKey } from '../../../infra/kafka/murmur2.ts'

const fromJava: readonly (readonly [string, number, number])[] = [
  ['', 275646681, 1],
  ['a', -1563381124, 4],
  ['ab', 316155434, 2],
  ['abc', 479470107, 3],
  ['anna', -1408603945, 7],
  ['bért ☃', 946416505, 1],
  ['21', -973932308, 4],
  ['foobar', -790332482, 6],
  ['a-little-bit-long-string', -985981536, 0],
  ['user 4711', 1685385028, 4],
  ['0123456789012345678901234567890123456789012345678901234567890123', -1921374114, 6],
]

test.each(fromJava)('%j hashes to %i, partition %i of 8', (key, hash, partition) => {
  const bytes = Buffer.from(key)
  expect(murmur2(bytes)).toBe(hash)
  expect(partitionOfKey(bytes, 8)).toBe(partition)
})

test('every partition gets its share of many keys', () => {
  const counts = new Array<number>(8).fill(0)
  for (let user = 0; user < 8_000; user++) {
    const partition = partitionOfKey(Buffer.from(`user ${user}`), 8)
    counts[partition] = (counts[partition] ?? 0) + 1
  }
  for (const count of counts) expect(count).toBeGreaterThan(800)
})
