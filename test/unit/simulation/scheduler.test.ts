// Virtual time: by moment, then by turn; whoever wakes goes as far as they can before anything else happens.

import { expect, test } from 'vitest'
import { Dice } from '../../simulation/random.ts'
import { Scheduler } from '../../simulation/scheduler.ts'
import { Trace } from '../../simulation/trace.ts'

const begin = () => new Scheduler(new Trace({ keepsLines: false }))

test('tasks run by their moment, those of one moment in turn', async () => {
  const scheduler = begin()
  const ran: string[] = []
  for (const [delayUs, name] of [
    [5, 'c'],
    [1, 'a'],
    [5, 'd'],
    [2, 'b'],
  ] as const) {
    scheduler.after(delayUs, name, () => ran.push(name))
  }
  while (await scheduler.step());
  expect(ran).toEqual(['a', 'b', 'c', 'd'])
  expect(scheduler.nowUs).toBe(5)
})

test('promises go as far as they can before the next task', async () => {
  const scheduler = begin()
  const ran: string[] = []
  const sleep = (us: number): Promise<void> =>
    new Promise((resolve) => {
      scheduler.after(us, 'sleep', resolve)
    })
  const story = async (): Promise<void> => {
    await sleep(1)
    for (let i = 0; i < 50; i++) await Promise.resolve()
    ran.push('story')
  }
  const told = story()
  scheduler.after(2, 'next', () => ran.push('next'))
  while (await scheduler.step());
  await told
  expect(ran).toEqual(['story', 'next'])
})

test('a cancelled task does not run, and time does not wait for it', async () => {
  const scheduler = begin()
  const task = scheduler.after(7, 'never', () => expect.unreachable())
  task.isCancelled = true
  expect(await scheduler.step()).toBe(false)
  expect(scheduler.nowUs).toBe(0)
})

test('many tasks come out sorted, whatever the order they went in', async () => {
  const scheduler = begin()
  const dice = new Dice(3, 'delays')
  const ran: number[] = []
  for (let i = 0; i < 500; i++) {
    const delayUs = dice.below(100)
    scheduler.after(delayUs, 'task', () => ran.push(delayUs), { isQuiet: i % 2 === 0 })
  }
  while (await scheduler.step());
  expect(ran).toEqual(ran.toSorted((a, b) => a - b))
  expect(ran).toHaveLength(500)
})

test('dice of one seed and name fall alike, of another name or seed differently', () => {
  const throws = (seed: number, name: string) => {
    const dice = new Dice(seed, name)
    return Array.from({ length: 20 }, () => dice.below(1_000))
  }
  expect(throws(1, 'a')).toEqual(throws(1, 'a'))
  expect(throws(1, 'a')).not.toEqual(throws(1, 'b'))
  expect(throws(1, 'a')).not.toEqual(throws(2, 'a'))
})
