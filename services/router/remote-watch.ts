// A watch at a cell in another process. The cell sends so many items ahead of their being taken and no more: a watcher that
// is slow holds up nobody else. When the connection breaks the watcher is told to read anew, as when its cell stops.

import type { Position } from '../../cells/model/position.ts'
import type { Answer, WatchItem } from '../../cells/ports/cell-client.ts'
import { watchItemOf } from '../cell/cell-messages.ts'
import { bytesOfPosition } from '../cell/position-bytes.ts'
import type { CellReply } from '../cell/reply-codec.ts'
import { askOf, type Asked, type Asker } from './asker.ts'
import type { CellLink } from './cell-link.ts'
import { answerOf, valueOf } from './reply-value.ts'
import { CellUnavailable } from './router.ts'

export class RemoteWatch implements AsyncIterableIterator<WatchItem> {
  readonly #cancel: () => void
  readonly #grant: (items: number) => void
  readonly #grantAt: number
  readonly #queue: WatchItem[] = []
  #taken = 0
  #isOver = false
  #failure: Error | undefined
  #wake: () => void = () => {}

  static async open(
    asked: Asked,
    asker: Asker,
    since?: Position,
  ): Promise<Answer<AsyncIterable<WatchItem>>> {
    const link = await asker.link(asked.signal)
    return new Promise((resolve, reject) => {
      let watch: RemoteWatch | undefined
      const { watchItemsAhead } = asker.limits
      const from = since === undefined ? undefined : bytesOfPosition(since)
      const value = { credit: watchItemsAhead, since: from }
      const ask = askOf(asked, { $case: 'watch', value })
      const id = link.ask(ask, {
        reply: (reply) => {
          if (watch !== undefined) {
            watch.#heard(reply)
            return
          }
          try {
            const answer = answerOf(reply, () => {
              valueOf(reply, 'watch')
              watch = new RemoteWatch(link, id, watchItemsAhead, release)
              return watch
            })
            if (watch === undefined) leave()
            resolve(answer)
          } catch (error) {
            leave()
            reject(error)
          }
        },
        broken: (error) => {
          release()
          if (watch === undefined) reject(error)
          else watch.#end({ kind: 'reload', reason: 'stopping', position: [] })
        },
      })
      const leave = () => {
        link.forget(id)
        release()
      }
      const release = asker.onAbort(
        asked.signal,
        () => {
          if (watch === undefined) link.cancel(id)
          else void watch.return()
        },
        () => {
          if (watch !== undefined) return
          link.forget(id)
          reject(new CellUnavailable('the cell did not answer in time'))
        },
      )
    })
  }

  private constructor(link: CellLink, id: number, itemsAhead: number, release: () => void) {
    this.#grantAt = Math.max(1, Math.floor(itemsAhead / 2))
    this.#grant = (items) => link.grant(id, items)
    this.#cancel = () => {
      release()
      link.forget(id)
      link.cancel(id)
    }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<IteratorResult<WatchItem, undefined>> {
    while (this.#queue.length === 0 && !this.#isOver) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    const item = this.#queue.shift()
    if (item !== undefined) {
      this.#took()
      return { done: false, value: item }
    }
    if (this.#failure !== undefined) throw this.#failure
    return { done: true, value: undefined }
  }

  async return(): Promise<IteratorResult<WatchItem, undefined>> {
    if (!this.#isOver) this.#cancel()
    this.#queue.length = 0
    this.#finish()
    return { done: true, value: undefined }
  }

  #heard(reply: CellReply): void {
    if (this.#isOver) return
    try {
      if (reply.outcome?.$case === 'end') {
        this.#end(undefined)
        return
      }
      const told = answerOf(reply, () => watchItemOf(valueOf(reply, 'item'), reply))
      const item = told.kind === 'ok' ? told.value : undefined
      if (item === undefined) this.#took()
      else this.#queue.push(owned(item))
      this.#wake()
    } catch (error) {
      this.#failure = error as Error
      this.#end(undefined)
    }
  }

  /** A last item, if any, and nothing after it. */
  #end(last: WatchItem | undefined): void {
    if (this.#isOver) return
    if (last !== undefined) this.#queue.push(last)
    this.#cancel()
    this.#finish()
  }

  #finish(): void {
    this.#isOver = true
    this.#wake()
  }

  #took(): void {
    this.#taken++
    if (this.#taken < this.#grantAt || this.#isOver) return
    this.#grant(this.#taken)
    this.#taken = 0
  }
}

/** Items may wait for long: they keep their own bytes, not the whole message in which they came. */
function owned(item: WatchItem): WatchItem {
  if (!('post' in item)) return item
  const { post } = item
  const { origin } = post
  const halves = (of: { readonly head: Uint8Array; readonly content: Uint8Array }) => ({
    head: Buffer.from(of.head),
    content: Buffer.from(of.content),
  })
  const ownOrigin = origin?.kind === 'visible' ? { ...origin, ...halves(origin) } : origin
  return { ...item, post: { ...post, ...halves(post), origin: ownOrigin } }
}
