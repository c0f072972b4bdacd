// What every control store promises. `open` makes a new, empty one for each test.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ControlStore } from '../../cells/ports/control-store.ts'
import { plain } from './sample-events.ts'

export type OpenControlStore = {
  readonly store: ControlStore
  readonly close: () => Promise<void>
}

const bytes = (text: string) => new TextEncoder().encode(text)
const text = (value: Uint8Array | undefined) => new TextDecoder().decode(value)

export function describeControlStoreContract(
  name: string,
  open: () => Promise<OpenControlStore>,
): void {
  describe(`control store contract: ${name}`, () => {
    let opened: OpenControlStore
    let store: ControlStore
    beforeEach(async () => {
      opened = await open()
      store = opened.store
    })
    afterEach(() => opened.close())

    test('a key that was never set is absent', async () => {
      expect(await store.get('placement')).toBeUndefined()
    })

    test('a write wins only against the revision it names', async () => {
      const first = await store.compareAndSet('boot', 0, bytes('one'))
      expect(first).toBeGreaterThan(0)
      expect(await store.compareAndSet('boot', 0, bytes('two'))).toBeUndefined()
      expect(await store.compareAndSet('boot', (first ?? 0) + 1, bytes('two'))).toBeUndefined()
      const second = await store.compareAndSet('boot', first ?? -1, bytes('three'))
      expect(second).toBeGreaterThan(first ?? 0)
      const entry = await store.get('boot')
      expect([text(entry?.value), entry?.revision]).toEqual(['three', second])
      expect(await store.get('other')).toBeUndefined()
    })

    test('of many writers at once exactly one wins each revision', async () => {
      const wins: string[] = []
      const contender = async (writer: number) => {
        for (let won = 0; won < 5; ) {
          const entry = await store.get('counter')
          const count = Number(text(entry?.value) || 0)
          const value = bytes(String(count + 1))
          const revision = await store.compareAndSet('counter', entry?.revision ?? 0, value)
          if (revision === undefined) continue
          wins.push(`${writer}`)
          won++
        }
      }
      await Promise.all([1, 2, 3, 4].map(contender))
      expect(wins).toHaveLength(20)
      expect(text((await store.get('counter'))?.value)).toBe('20')
    })

    test('values may be empty or as large as a mebibyte', async () => {
      const large = new Uint8Array(1 << 20).fill(7)
      await store.compareAndSet('empty', 0, new Uint8Array(0))
      await store.compareAndSet('large', 0, large)
      expect((await store.get('empty'))?.value.length).toBe(0)
      expect(plain((await store.get('large'))?.value)).toBe(plain(large))
    })

    test('a watcher is told of the latest change after the call, of its key only', async () => {
      const controller = new AbortController()
      const before = await store.compareAndSet('placement', 0, bytes('before'))
      const changes = store.watch('placement', controller.signal)[Symbol.asyncIterator]()
      await store.compareAndSet('other', 0, bytes('x'))
      const after = await store.compareAndSet('placement', before ?? 0, bytes('after'))
      const { value } = await changes.next()
      expect([text(value.value), value.revision]).toEqual(['after', after])
      const waiting = changes.next()
      const last = await store.compareAndSet('placement', after ?? 0, bytes('last'))
      expect((await waiting).value.revision).toBe(last)
      controller.abort()
    })

    test('a watch ends when it is aborted', async () => {
      const controller = new AbortController()
      const changes = store.watch('placement', controller.signal)[Symbol.asyncIterator]()
      const waiting = changes.next()
      controller.abort()
      expect(await waiting).toMatchObject({ done: true })
    })
  })
}
