// How often things happen, by number: counts that decay, four bytes each. What happened a time constant ago counts for a third.
//
// Decay runs forward (Cormode, Shkapenyuk, Srivastava and Xu, "Forward decay", ICDE 2009): what happens now is added with a weight
// that grows with time, and whoever asks divides by the weight of then; so nothing is aged, and no time is kept for each number. Now
// and then all are brought back to weight one.

/** Growth after which weights begin anew: far from the greatest number that 32 bits hold. */
const EXPONENT_MAX = 40
const ROOM_FIRST = 1024

export class DecayingCounts {
  readonly #timeConstantMs: number
  /** Counting began, or the earliest that was noted; before that nothing is known. */
  #sinceMs: number
  #counts = new Float32Array(ROOM_FIRST)
  #originMs: number
  #lastMs = Number.NaN
  #lastWeight = 1
  #total = 0

  constructor(options: { readonly timeConstantMs: number; readonly sinceMs: number }) {
    this.#timeConstantMs = options.timeConstantMs
    this.#sinceMs = options.sinceMs
    this.#originMs = options.sinceMs
  }

  /** Also of what happened before. */
  note(number: number, atMs: number): void {
    if (atMs < this.#sinceMs) this.#sinceMs = atMs
    const weight = this.#weightAt(atMs)
    if (number >= this.#counts.length) this.#reserve(number + 1)
    this.#counts[number] = (this.#counts[number] as number) + weight
    this.#total += weight
  }

  /** The decayed count: a steady rate times the time constant, once that has passed. */
  countOf(number: number, nowMs: number): number {
    const weight = this.#weightAt(nowMs)
    return (this.#counts[number] ?? 0) / weight
  }

  /** The decayed counts of all numbers. */
  totalAt(nowMs: number): number {
    return this.#total / this.#weightAt(nowMs)
  }

  /** Seconds that the counts stand for: those since counting began, of which the last ones count most. */
  spanS(nowMs: number): number {
    const passedMs = Math.max(0, nowMs - this.#sinceMs)
    const tauMs = this.#timeConstantMs
    return ((1 - Math.exp(-passedMs / tauMs)) * tauMs) / 1_000
  }

  #weightAt(atMs: number): number {
    // Most of a run happen in one millisecond.
    if (atMs === this.#lastMs) return this.#lastWeight
    this.#lastMs = atMs
    this.#lastWeight = this.#newWeightAt(atMs)
    return this.#lastWeight
  }

  #newWeightAt(atMs: number): number {
    const exponent = (atMs - this.#originMs) / this.#timeConstantMs
    if (exponent <= EXPONENT_MAX) return Math.exp(exponent)
    const factor = Math.exp(-exponent)
    for (let i = 0; i < this.#counts.length; i++)
      this.#counts[i] = (this.#counts[i] as number) * factor
    this.#total *= factor
    this.#originMs = atMs
    return 1
  }

  #reserve(end: number): void {
    const counts = new Float32Array(Math.max(this.#counts.length * 2, end))
    counts.set(this.#counts)
    this.#counts = counts
  }
}
