// Ways into long chains: some entries of authors who posted very much, remembered when a walk came past them, so that the next
// walk as deep starts near its end. Publishing knows nothing of them.
//
//     head --> o o o ... o --> MARK o o o ... o --> MARK o o o ...     a mark every 64 entries, as deep as anyone went
//
// Whatever happens to the chain, a mark is either still a part of it (what is put in, taken out or dropped around it changes
// links, not the mark), or is seen to be none: its entry names no author, or left the window.
//
// Cost: 4 bytes a mark, for one post of 64 at most; of a chain of 100,000 a search is some 11 looks and at most 64 steps.

const STRIDE = 64
/** As many as a window of 4 M posts has room for. */
const MARKS_MAX = 2 ** 16

/** What marks ask of the window. */
export type MarkedChains = {
  /** Whether the entry is in the window and the author's. */
  isOf(entry: number, author: number): boolean
  isAbove(entry: number, hi: number, lo: number): boolean
}

export class ChainMarks {
  readonly #chains: MarkedChains
  /** By author, used last at the end; each one's marks ascend in id. */
  readonly #byAuthor = new Map<number, number[]>()
  #count = 0
  #marksMax: number

  constructor(chains: MarkedChains, marksMax = MARKS_MAX) {
    this.#chains = chains
    this.#marksMax = marksMax
  }

  get count(): number {
    return this.#count
  }

  /** The lowest mark above the id, or -1: a walk down to the id may start there. */
  above(author: number, hi: number, lo: number): number {
    const marks = this.#byAuthor.get(author)
    if (marks === undefined) return -1
    let low = 0
    let high = marks.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#chains.isAbove(marks[middle] as number, hi, lo)) high = middle
      else low = middle + 1
    }
    let end = low
    while (end < marks.length && !this.#chains.isOf(marks[end] as number, author)) end++
    marks.splice(low, end - low)
    this.#count -= end - low
    return marks[low] ?? -1
  }

  /**
   * A walk from `start` (a mark, or -1 for the head) went past these entries, one of each 64, newest first. Marks them if it was
   * above all marks or below all of them.
   */
  add(author: number, start: number, passed: number[]): void {
    const marks = this.#byAuthor.get(author) ?? []
    if (start >= 0 && marks[0] !== start) return
    this.#byAuthor.delete(author)
    this.#byAuthor.set(
      author,
      start < 0 ? [...marks, ...passed.reverse()] : [...passed.reverse(), ...marks],
    )
    this.#count += passed.length
    for (const [oldest, { length }] of this.#byAuthor) {
      if (this.#count <= this.#marksMax) return
      this.#byAuthor.delete(oldest)
      this.#count -= length
    }
  }

  /** Forgets marks that are none any more. */
  sweep(): void {
    for (const [author, marks] of this.#byAuthor) {
      const kept = marks.filter((mark) => this.#chains.isOf(mark, author))
      this.#count += kept.length - marks.length
      if (kept.length === 0) this.#byAuthor.delete(author)
      else this.#byAuthor.set(author, kept)
    }
  }
}

/** Notes one of each 64 entries that a walk goes past. */
export class Footsteps {
  #steps = 0
  readonly entries: number[] = []

  pass(entry: number): void {
    if (++this.#steps % STRIDE === 0) this.entries.push(entry)
  }
}
