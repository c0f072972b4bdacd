// Whether something outside works, as it was at the last asking.

import { expect, test } from 'vitest'
import type { Clock } from '../../../../cells/ports/clock.ts'
import { Probe } from '../../../../services/runtime/probe.ts'

class Waiting implements Clock {
  #wake: () => void = () => {}
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
  pass(): void {
    this.#wake()
  }
}

const { signal } = new AbortController()

test('it works, fails, and works again: each change is told once', async () => {
  const answers = ['', '', 'away', 'away', '']
  const changes: boolean[] = []
  const probe = new Probe({
    ask: async () => {
      const why = answers.shift() ?? ''
      if (why !== '') throw new Error(why)
    },
    clock: new Waiting(),
    everyMs: 1,
    patienceMs: 1,
    changed: (works) => changes.push(works),
  })
  expect(probe.why).toBe('not asked yet')
  const seen: (string | undefined)[] = []
  for (let turn = 0; turn < 5; turn++) {
    await probe.askNow(signal)
    seen.push(probe.why)
  }
  expect(seen).toEqual([undefined, undefined, 'away', 'away', undefined])
  expect(changes).toEqual([true, false, true])
})

test('no answer in time is no answer', async () => {
  const clock = new Waiting()
  const probe = new Probe({
    ask: () => new Promise(() => undefined),
    clock,
    everyMs: 1,
    patienceMs: 1,
    changed: () => undefined,
  })
  const asked = probe.askNow(signal)
  clock.pass()
  await asked
  expect(probe.why).toBe('no answer in time')
})
