// Items with ticks between them: ends when the items end or the signal aborts, and closes the items either way.

import { expect, test } from 'vitest'
import { withTicks } from '../../../../services/runtime/with-ticks.ts'

class TickClock {
  #wake: (() => void) | undefined
  nowMs(): number {
    return 0
  }
  sleep(_ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
      signal?.addEventListener('abort', () => resolve())
    })
  }
  async yield(): Promise<void> {}
  tick(): void {
    this.#wake?.()
  }
}

test('passes items on in order, and ends with them', async () => {
  async function* items() {
    yield 1
    yield 2
  }
  const clock = new TickClock()
  const { signal } = new AbortController()
  const seen: unknown[] = []
  for await (const next of withTicks(items(), { everyMs: 1, clock, signal })) seen.push(next)
  expect(seen).toEqual([
    { kind: 'item', item: 1 },
    { kind: 'item', item: 2 },
  ])
})

test('ticks while nothing comes, and loses no item by it', async () => {
  let give: (value: IteratorResult<string>) => void = () => undefined
  const items = {
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise<IteratorResult<string>>((resolve) => (give = resolve)),
    }),
  }
  const clock = new TickClock()
  const { signal } = new AbortController()
  const ticked = withTicks(items, { everyMs: 1, clock, signal })
  for (let round = 0; round < 3; round++) {
    const next = ticked.next()
    clock.tick()
    expect((await next).value).toEqual({ kind: 'tick' })
  }
  const next = ticked.next()
  give({ value: 'late', done: false })
  expect((await next).value).toEqual({ kind: 'item', item: 'late' })
  await ticked.return()
})

test('ends when the signal aborts, and closes the items', async () => {
  let isClosed = false
  const items = {
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise<IteratorResult<string>>(() => undefined),
      return: async () => {
        isClosed = true
        return { value: undefined, done: true as const }
      },
    }),
  }
  const ending = new AbortController()
  const ticked = withTicks(items, { everyMs: 1, clock: new TickClock(), signal: ending.signal })
  const next = ticked.next()
  ending.abort()
  expect((await next).done).toBe(true)
  expect(isClosed).toBe(true)
})
