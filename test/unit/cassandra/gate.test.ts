// The gate bounds what is under way, in order; work over many items ends with the first failure.

import { expect, test } from 'vitest'
import { Gate, inParallel } from '../../../infra/cassandra/gate.ts'

test('no more than the bound are inside, and who waits comes in in order', async () => {
  const gate = new Gate(2)
  const begun: number[] = []
  const ends: (() => void)[] = []
  const work = (n: number) =>
    gate.run(() => {
      begun.push(n)
      return new Promise<void>((resolve) => ends.push(resolve))
    })
  const all = [0, 1, 2, 3].map(work)
  expect(begun).toEqual([0, 1])
  ends[1]?.()
  await all[1]
  expect(begun).toEqual([0, 1, 2])
  ends[0]?.()
  await all[0]
  expect(begun).toEqual([0, 1, 2, 3])
  ends[2]?.()
  ends[3]?.()
  await Promise.all(all)
})

test('a failure leaves its place to others', async () => {
  const gate = new Gate(1)
  const failed = gate.run(() => Promise.reject(new Error('refused')))
  const next = gate.run(() => Promise.resolve('done'))
  await expect(failed).rejects.toThrow('refused')
  expect(await next).toBe('done')
})

test('after a failure no more items begin, and what had begun has ended', async () => {
  const begun: number[] = []
  let ended = 0
  const work = async (n: number) => {
    begun.push(n)
    await Promise.resolve()
    if (n === 0) throw new Error('refused')
    await Promise.resolve()
    ended++
  }
  await expect(inParallel([0, 1, 2, 3], 2, work)).rejects.toThrow('refused')
  expect(begun).toEqual([0, 1])
  expect(ended).toBe(1)
})
