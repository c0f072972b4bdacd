// Dice: a stream of numbers that depends on nothing but its seed and its name (xorshift128). Every part of the simulation
// throws dice of its own, so that one more throw in one part does not change what the others do.

export class Dice {
  #x: number
  #y: number
  #z: number
  #w: number

  constructor(seed: number, stream: string) {
    let state = seed >>> 0
    for (let i = 0; i < stream.length; i++)
      state = Math.imul(state ^ stream.charCodeAt(i), 0x0100_0193)
    const spread = (): number => {
      state = (state + 0x9e37_79b9) >>> 0
      let word = Math.imul(state ^ (state >>> 16), 0x21f0_aaad)
      word = Math.imul(word ^ (word >>> 15), 0x735a_2d97)
      return (word ^ (word >>> 15)) >>> 0
    }
    this.#x = spread() | 1
    this.#y = spread()
    this.#z = spread()
    this.#w = spread()
  }

  #word(): number {
    const mixed = this.#x ^ (this.#x << 11)
    this.#x = this.#y
    this.#y = this.#z
    this.#z = this.#w
    this.#w = this.#w ^ (this.#w >>> 19) ^ (mixed ^ (mixed >>> 8))
    return this.#w >>> 0
  }

  /** A whole number from 0 up to, not with, `end`. */
  below(end: number): number {
    return this.#word() % Math.max(1, end)
  }

  /** A whole number, both ends included. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1)
  }

  chance(probability: number): boolean {
    return this.#word() < probability * 4_294_967_296
  }

  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new Error('nothing to pick from')
    return items[this.below(items.length)] as T
  }

  /**
   * The weights of one run: some kinds left out, some usual, some often, so that rare company is met. The first kind is
   * always there.
   */
  sway<Name extends string>(weights: Readonly<Record<Name, number>>): Record<Name, number> {
    const swayed = { ...weights } as Record<Name, number>
    const [first, ...others] = Object.keys(weights) as Name[]
    for (const name of others) swayed[name] *= this.pick([0, 2, 2, 3, 6])
    if (first !== undefined) swayed[first] *= 3
    return swayed
  }

  /** Picks a name, each as often as its weight says. */
  weighted<Name extends string>(weights: Readonly<Record<Name, number>>): Name {
    const names = Object.keys(weights) as Name[]
    let left = this.below(names.reduce((sum, name) => sum + weights[name], 0))
    for (const name of names) {
      left -= weights[name]
      if (left < 0) return name
    }
    throw new Error('weights add up to nothing')
  }
}
