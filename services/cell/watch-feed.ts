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
  /** Ends the watch at the cell. */
  readonly cancel: () => void
  readonly say: (reply: CellReply) => void
  readonly fail: (error: unknown) => void
}

export class WatchFeed {
  readonly #parts: WatchFeedParts
  #credit: number
  #granted: () => void = () => {}
  #isCancelled = false
  #isStopped = false
  #isOver = false

  constructor(parts: WatchFeedParts) {
    this.#parts = parts
    this.#credit = parts.credit
  }

  get isOver(): boolean {
    return this.#isOver
  }

  grant(items: number): void {
    this.#credit += items
    this.#granted()
  }

  /** Nobody takes items any more: nothing more is said. */
  cancel(): void {
    this.#isCancelled = true
    this.#parts.cancel()
    this.#granted()
  }

  /** The cell is about to stop: the watcher is told to come again. */
  stop(): void {
    this.#isStopped = true
    this.#parts.cancel()
    this.#granted()
  }

  /** Never rejects. */
  async run(): Promise<void> {
    const { id, items, fail } = this.#parts
    try {
      for await (const item of items) {
        while (this.#credit <= 0 && !this.#isOff) await this.#moreCredit()
        if (this.#isOff) break
        this.#credit--
        this.#say(item)
      }
      if (this.#isStopped) this.#say({ kind: 'reload', reason: 'stopping' })
      if (!this.#isCancelled) this.#end(id)
    } catch (error) {
      fail(error)
    } finally {
      this.#isOver = true
    }
  }

  get #isOff(): boolean {
    return this.#isCancelled || this.#isStopped
  }

  #say(item: WatchItem): void {
    const { id, say } = this.#parts
    const position = bytesOfPosition('position' in item ? item.position : [])
    const outcome = { $case: 'item', value: { item: wireItem(item) } } as const
    say({ id, position, outcome, posts: 'post' in item ? [item.post] : [] })
  }

  #end(id: number): void {
    const outcome = { $case: 'end', value: {} } as const
    this.#parts.say({ id, position: Buffer.alloc(0), outcome, posts: [] })
  }

  #moreCredit(): Promise<void> {
    return new Promise((resolve) => {
      this.#granted = resolve
    })
  }
}
