// Joins a stream of items with a tick every so often, so that a quiet stream can still give a sign of life.

import type { Clock } from '../../cells/ports/clock.ts'

export type Ticked<T> = { readonly kind: 'item'; readonly item: T } | { readonly kind: 'tick' }

/** Ends when the items end or the signal aborts; the items' iterator is closed either way. */
export async function* withTicks<T>(
  items: AsyncIterable<T>,
  options: { readonly everyMs: number; readonly clock: Clock; readonly signal: AbortSignal },
): AsyncGenerator<Ticked<T>, void, void> {
  const { everyMs, clock, signal } = options
  const iterator = items[Symbol.asyncIterator]()
  const ended = new AbortController()
  const stop = () => ended.abort()
  signal.addEventListener('abort', stop)
  if (signal.aborted) stop()
  const nextTick = () =>
    clock.sleep(everyMs, ended.signal).then((): { kind: 'tick' } => ({ kind: 'tick' }))
  const nextItem = () => iterator.next().then((result) => ({ kind: 'result' as const, result }))
  try {
    let tick = nextTick()
    let item = nextItem()
    while (!ended.signal.aborted) {
      const first = await Promise.race([item, tick])
      if (ended.signal.aborted) return
      if (first.kind === 'tick') {
        yield first
        tick = nextTick()
      } else {
        if (first.result.done === true) return
        yield { kind: 'item', item: first.result.value }
        item = nextItem()
      }
    }
  } finally {
    ended.abort()
    signal.removeEventListener('abort', stop)
    // Not awaited: an iterator that waits for its next item closes only after that.
    void iterator.return?.().then(undefined, () => undefined)
  }
}
