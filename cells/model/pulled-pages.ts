// Which readers' pages have pulled so much that it pays to put what they pulled into the inbox: once pulling has cost as much as that
// would. Whoever comes once costs no more than a pull; who comes again and again never more than twice the least (the rule of who
// rents skis before buying them). Bounded: the readers of the newest pages.

import type { Costs } from './costs.ts'
import { type DeliveryPolicy, entryCostUs } from './delivery-policy.ts'

/** What one page read of the stored posts of authors whose newer posts the inbox has. */
export type PulledPage = {
  readonly authors: number
  readonly entries: number
  /** It ended there. */
  readonly second: number
}
type Pulled = {
  authors: number
  /** Of the page that pulled most. */
  authorsMost: number
  entriesMost: number
  second: number
}
/** Pages of this reader got down to the second. */
export type Fillable = { readonly reader: number; readonly second: number }

const READERS_MAX = 16_384

export class PulledPages {
  readonly #pulled = new Map<number, Pulled>()
  readonly #fillable: Fillable[] = []

  get hasFillable(): boolean {
    return this.#fillable.length > 0
  }

  note(reader: number, page: PulledPage, costs: Costs, policy: DeliveryPolicy): void {
    const before = this.#pulled.get(reader)
    this.#pulled.delete(reader)
    const pulled = {
      authors: (before?.authors ?? 0) + page.authors,
      authorsMost: Math.max(before?.authorsMost ?? 0, page.authors),
      entriesMost: Math.max(before?.entriesMost ?? 0, page.entries),
      second: Math.min(before?.second ?? page.second, page.second),
    }
    if (paysToFill(pulled, costs, policy)) {
      if (this.#fillable.length < READERS_MAX) {
        this.#fillable.push({ reader, second: pulled.second })
      }
      return
    }
    this.#pulled.set(reader, pulled)
    if (this.#pulled.size <= READERS_MAX) return
    const [oldest] = this.#pulled.keys()
    if (oldest !== undefined) this.#pulled.delete(oldest)
  }

  /** Not again before they have pulled as much anew. */
  next(): Fillable | undefined {
    return this.#fillable.shift()
  }
}

/** Whether pulling has cost what filling does: each author read once more, and a chunk. */
export function paysToFill(
  { authors, authorsMost, entriesMost }: Omit<Pulled, 'second'>,
  costs: Costs,
  policy: DeliveryPolicy,
): boolean {
  const pullUs = costs.pullUs * policy.latencyWeight
  const fillUs =
    authorsMost * costs.pullUs + costs.chunkUs + entriesMost * entryCostUs(costs, policy)
  return authors * pullUs >= fillUs
}
