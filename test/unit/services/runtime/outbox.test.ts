// What is said in one turn goes out together, in order, and nothing goes out while the stream takes no more.

import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Outbox } from '../../../../services/runtime/outbox.ts'

class Stream {
  readonly written: (readonly string[])[] = []
  isFull = false
  readonly outbox = new Outbox<string>({
    write: (batch) => {
      this.written.push(batch)
      return !this.isFull
    },
    bytesOf: (item) => item.length,
    batchBytes: 4,
  })
}

test('what is said in one turn is one message', async () => {
  const { outbox, written } = new Stream()
  outbox.push('a')
  outbox.push('b')
  expect(written).toEqual([])
  await setImmediate()
  outbox.push('c')
  await setImmediate()
  expect(written).toEqual([['a', 'b'], ['c']])
})

test('a message ends with the item that reaches its size', async () => {
  const { outbox, written } = new Stream()
  for (const item of ['aa', 'bbb', 'cccccc', 'd']) outbox.push(item)
  expect(outbox.queuedBytes).toBe(12)
  await setImmediate()
  expect(written).toEqual([['aa', 'bbb'], ['cccccc'], ['d']])
  expect(outbox.queuedBytes).toBe(0)
})

test('a full stream is given nothing until it is drained', async () => {
  const stream = new Stream()
  stream.isFull = true
  stream.outbox.push('a')
  await setImmediate()
  stream.outbox.push('b')
  stream.outbox.push('c')
  await setImmediate()
  expect(stream.written).toEqual([['a']])
  expect(stream.outbox.queuedBytes).toBe(2)
  stream.isFull = false
  stream.outbox.drained()
  expect(stream.written).toEqual([['a'], ['b', 'c']])
})

test('what waits is sent at once when asked to, and once', async () => {
  const { outbox, written } = new Stream()
  outbox.push('a')
  outbox.flush()
  await setImmediate()
  expect(written).toEqual([['a']])
})

test('a closed one says nothing more, and tells what it did not say', async () => {
  const { outbox, written } = new Stream()
  outbox.push('a')
  expect(outbox.close()).toEqual(['a'])
  outbox.push('b')
  await setImmediate()
  expect(written).toEqual([])
})
