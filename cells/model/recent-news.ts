// What was told to watchers, or would have been, not long ago: kept while slots are on their way, so that a watch which comes from another
// cell goes on where that one ended. Bounded: who comes too late, or from too far back, reads anew.
//
//     told by the cell before         told by this one since
//     ------------------------|s|-----------------------------> log
//              kept:  from ------------------------------ now
//
// All that is not told before `s` is here if everything that was dropped, or applied before keeping began, lies before `s` in each partition.

import { hasReached, type Position } from './position.ts'

/** `position`: of the cell when it was told; it holds what is told. `bytes`: what keeping it takes. */
export type News = { readonly position: Position; readonly bytes: number }

export class RecentNews<T extends News> {
  readonly #most: number
  readonly #bytesMost: number
  /** By its number, from `#first` on to `#next`. */
  #kept: (T | undefined)[] = []
  #first = 0
  #next = 0
  #bytes = 0
  /** Undefined while nothing is kept. */
  #from: Position | undefined

  constructor(limits: { readonly most: number; readonly bytesMost: number }) {
    this.#most = limits.most
    this.#bytesMost = limits.bytesMost
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
    this.#next = 0
    this.#bytes = 0
  }

  note(news: T): void {
    if (this.#from === undefined) return
    if (this.#next - this.#first === this.#most) this.#dropFirst()
    this.#kept[this.#next++ % this.#most] = news
    this.#bytes += news.bytes
    while (this.#bytes > this.#bytesMost && this.#first < this.#next) this.#dropFirst()
  }

  #dropFirst(): void {
    const at = this.#first++ % this.#most
    const news = this.#kept[at]
    this.#kept[at] = undefined
    if (news === undefined) return
    this.#from = news.position
    this.#bytes -= news.bytes
  }

  /** In the order of telling, what somebody need not have heard who has heard everything before the position. Undefined when some of it is not kept. */
  since(position: Position): T[] | undefined {
    if (this.#from === undefined || !hasReached(position, this.#from)) return undefined
    let [first, end] = [this.#first, this.#next]
    // Positions only grow: what need not be told comes first.
    while (first < end) {
      const middle = first + ((end - first) >>> 1)
      if (hasReached(position, this.#at(middle).position)) first = middle + 1
      else end = middle
    }
    return Array.from({ length: this.#next - first }, (_, i) => this.#at(first + i))
  }

  #at(number: number): T {
    return this.#kept[number % this.#most] as T
  }
}
