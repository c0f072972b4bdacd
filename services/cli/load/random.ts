// Random numbers that a seed repeats, and the two distributions that a load is made of.

/** Numbers in [0, 1), equally spread (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/**
 * Draws 0 .. size-1 by Zipf's law: rank k in proportion to 1 / (k + 1) ^ exponent. An exponent of 0
 * draws all equally. Costs 8 bytes for each of `size` once, and a binary search a draw.
 */
export function zipfRanks(size: number, exponent: number, random: () => number): () => number {
  const upTo = new Float64Array(size)
  let total = 0
  for (let rank = 0; rank < size; rank += 1) {
    total += (rank + 1) ** -exponent
    upTo[rank] = total
  }
  return () => {
    const at = random() * total
    let low = 0
    let high = size - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((upTo[middle] ?? 0) > at) high = middle
      else low = middle + 1
    }
    return low
  }
}

/** Pauses between events that come independently of each other, `perSecond` of them on average. */
export function poissonPauseMs(perSecond: number, random: () => number): number {
  return (-Math.log(1 - random()) / perSecond) * 1000
}
