// A growing set of 64-bit ids given as halves: open addressing in one typed array, at most three quarters full.
// Cost: 10.7-21 bytes an id once it has grown. The id 0 marks a free slot and cannot be held.

const SLOTS_FIRST_BITS = 5

export class IdSet {
  #halves = new Uint32Array(2 << SLOTS_FIRST_BITS)
  #shift = 32 - SLOTS_FIRST_BITS
  #size = 0

  get size(): number {
    return this.#size
  }

  get bytes(): number {
    return this.#halves.byteLength
  }

  /** Adds the id; false when it was there. */
  add(hi: number, lo: number): boolean {
    const at = this.#probe(hi, lo)
    if (!this.#isFree(at)) return false
    this.#halves[at] = hi
    this.#halves[at + 1] = lo
    this.#size++
    if (this.#size * 8 > this.#halves.length * 3) this.#grow()
    return true
  }

  /** Where the id is, or the free place where it belongs. */
  #probe(hi: number, lo: number): number {
    const halves = this.#halves
    const mask = halves.length - 1
    let at = (Math.imul(lo ^ Math.imul(hi, 0x85eb_ca6b), 0x9e37_79b1) >>> this.#shift) * 2
    while (!this.#isFree(at) && (halves[at] !== hi || halves[at + 1] !== lo)) at = (at + 2) & mask
    return at
  }

  #isFree(at: number): boolean {
    return this.#halves[at] === 0 && this.#halves[at + 1] === 0
  }

  #grow(): void {
    const old = this.#halves
    this.#halves = new Uint32Array(old.length * 2)
    this.#shift--
    for (let i = 0; i < old.length; i += 2) {
      const hi = old[i] as number
      const lo = old[i + 1] as number
      if (hi === 0 && lo === 0) continue
      const at = this.#probe(hi, lo)
      this.#halves[at] = hi
      this.#halves[at + 1] = lo
    }
  }
}
