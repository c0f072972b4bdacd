// What was told to watchers, or would have been, not long ago: kept while slots are on their way, so that a watch which comes from another
// cell goes on where that one ended. Bounded: who comes too late, or from too far back, reads anew.
//
//     told by the cell before         told by this one since
//     ------------------------|s|-----------------------------> log
//              kept:  from ------------------------------ now
//
// All that is not told before `s` is here if everything that was dropped, or applied before keeping began, lies before `s` in each partition.

import { hasReached, type Position } from './position.ts'

/** `position`: of the cell when it was told; it holds what is told. */
export type News = { readonly position: Position }

export class RecentNews<T extends News> {
  readonly #most: number
  #kept: T[] = []
  /** Where the oldest lies. */
  #first = 0
  /** Undefined while nothing is kept. */
  #from: Position | undefined

  constructor(most: number) {
    this.#most = most
  }

  get isKept(): boolean {
    return this.#from !== undefined
  }

  /** Keeps what is told from now on, if it does not do so already. */
  begin(position: Position): void {
    this.#from ??= [...position]
  }

  end(): void {
    this.#from = undefined
    this.#kept = []
    this.#first = 0
  }

  note(news: T): void {
    if (this.#from === undefined) return
    if (this.#kept.length < this.#most) {
      this.#kept.push(news)
      return
    }
    this.#from = this.#kept[this.#first]?.position ?? this.#from
    this.#kept[this.#first] = news
    this.#first = (this.#first + 1) % this.#most
  }

  /** In the order of telling, what somebody need not have heard who has heard everything before the position. Undefined when some of it is not kept. */
  since(position: Position): T[] | undefined {
    if (this.#from === undefined || !hasReached(position, this.#from)) return undefined
    const all = [...this.#kept.slice(this.#first), ...this.#kept.slice(0, this.#first)]
    return all.filter((news) => !hasReached(position, news.position))
  }
}
