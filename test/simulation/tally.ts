// How often each kind of step, fault and event was completed. A simulation that never crashes a cell in the middle of a
// checkpoint proves nothing about it, so a kind that is too rare fails the run.

export class Tally {
  readonly #counts = new Map<string, number>()

  add(kind: string, count = 1): void {
    this.#counts.set(kind, this.of(kind) + count)
  }

  of(kind: string): number {
    return this.#counts.get(kind) ?? 0
  }

  merge(other: Tally): void {
    for (const [kind, count] of other.#counts) this.add(kind, count)
  }

  get entries(): readonly (readonly [string, number])[] {
    return [...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1))
  }

  /** One line a kind that was completed less often than so many times per hundred seeds. */
  tooRare(floors: Readonly<Record<string, number>>, seeds: number): string[] {
    return Object.entries(floors).flatMap(([kind, perHundred]) => {
      const usual = (perHundred * seeds) / 100
      // A short run is excused by chance.
      const floor = Math.floor(usual - 3 * Math.sqrt(usual))
      const count = this.of(kind)
      return count < floor ? [`${kind}: ${count}, at least ${floor} expected`] : []
    })
  }
}
