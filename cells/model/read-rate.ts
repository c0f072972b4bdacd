// How often something was read a second, of the last minute or so: a count that decays.

const DECAY_MS = 60_000

export class ReadRate {
  #count = 0
  #atMs = 0

  note(nowMs: number): void {
    this.#count = this.#countAt(nowMs) + 1
    this.#atMs = nowMs
  }

  /** Reads a second. */
  perSecond(nowMs: number): number {
    return this.#countAt(nowMs) / (DECAY_MS / 1_000)
  }

  /** A clock that steps back changes nothing. */
  #countAt(nowMs: number): number {
    return this.#count * Math.exp(-Math.max(0, nowMs - this.#atMs) / DECAY_MS)
  }
}
