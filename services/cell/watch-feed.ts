// One watch at the cell's end of a stream: takes items from the cell only as far as the gateway has room for them. What the
// gateway does not take stays in the cell's own queue, which is bounded and ends the watch as too slow.

import type { WatchItem } from '../../cells/ports/cell-client.ts'
import { wireItem } from './cell-messages.ts'
import { bytesOfPosition } from './position-bytes.ts'
import type { CellReply } from './reply-codec.ts'

export type WatchFeedParts = {
  readonly id: number
  readonly items: AsyncIterable<WatchItem>
  /** Items the gateway has room for at first. */
  readonly credit: number
  readonly say: (reply: CellReply) => void
  readonly fail: (error: unknown) => void
  /** Called once, when nothing more will be said: ends the watch at the cell. */
  readonly over: () => void
}

export class WatchFeed {
  readonly #parts: WatchFeedParts
  #credit: number
  #granted: () => void = () => {}
  #isOver = false

  constructor(parts: WatchFeedParts) {
    this.#parts = parts
    this.#credit = parts.credit
  }

  grant(items: number): void {
    this.#credit += items
    this.#granted()
  }

  /** Nobody takes items any more: nothing more is said. */
  cancel(): void {
    this.#finish(() => {})
  }

  /** The cell is about to stop: the watcher is told to come again. */
  stop(): void {
    this.#finish(() => {
      this.#say({ kind: 'reload', reason: 'stopping', position: [] })
      this.#sayEnd()
    })
  }

  /** Resolves when the cell has no more items, or nobody wants them. Never rejects. */
  async run(): Promise<void> {
    try {
      for await (const item of this.#parts.items) {
        while (this.#credit <= 0 && !this.#isOver) await this.#moreCredit()
        if (this.#isOver) return
        this.#credit--
        this.#say(item)
      }
      this.#finish(() => this.#sayEnd())
    } catch (error) {
      this.#finish(() => this.#parts.fail(error))
    }
  }

  #finish(last: () => void): void {
    if (this.#isOver) return
    last()
    this.#isOver = true
    this.#granted()
    this.#parts.over()
  }

  #say(item: WatchItem): void {
    const { id, say } = this.#parts
    const position = bytesOfPosition(item.position)
    const outcome = { $case: 'item', value: { item: wireItem(item) } } as const
    say({ id, position, outcome, posts: 'post' in item ? [item.post] : [] })
  }

  #sayEnd(): void {
    const outcome = { $case: 'end', value: {} } as const
    this.#parts.say({ id: this.#parts.id, position: Buffer.alloc(0), outcome, posts: [] })
  }

  #moreCredit(): Promise<void> {
    return new Promise((resolve) => {
      this.#granted = resolve
    })
  }
}
