// Random draws for benches: seeded, so that two runs measure the same work.

export type Draw = () => number

/** Numbers in [0, 1) by a 32-bit xorshift. */
export function drawFrom(seed: number): Draw {
  let state = seed | 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}

/** 1 .. count, all alike. */
export function uniform(draw: Draw, count: number): number {
  return 1 + Math.floor(draw() * count)
}

/** 1 .. count by Zipf with exponent near 1; scattered, so that busy ones are not neighbours. */
export function zipf(draw: Draw, count: number): number {
  return 1 + ((Math.floor(count ** draw()) * 7_919) % count)
}

/** `count` different numbers of 1 .. `max` without `but`, ascending. */
export function different(draw: Draw, count: number, max: number, but = 0): Uint32Array {
  const numbers = new Set<number>()
  while (numbers.size < count) {
    const number = uniform(draw, max)
    if (number !== but) numbers.add(number)
  }
  return Uint32Array.from(numbers).sort()
}
