// How fast something gets on, and how long it will still take, from what it reports from time to time.

/** How much of the whole is done, 0 to 1, and how many that is. */
export type Done = { readonly part: number; readonly count: number }
type Sample = Done & { readonly atMs: number }

/** The rate is that of the last moments. */
const SPAN_MS = 5_000

export class Rate {
  #samples: readonly Sample[] = []

  /** How many a second; and how long it takes at this rate, infinite when nothing gets on. */
  note(done: Done, nowMs: number): { readonly perSecond: number; readonly leftMs: number } {
    const now = { ...done, atMs: nowMs }
    // Who starts over has less than before.
    const kept = this.#samples.filter(
      ({ atMs, part }) => nowMs - atMs <= SPAN_MS && part <= now.part,
    )
    this.#samples = [...kept, now]
    const [first = now] = kept
    const tookMs = nowMs - first.atMs
    const part = now.part - first.part
    if (tookMs === 0 || part <= 0) return { perSecond: 0, leftMs: Number.POSITIVE_INFINITY }
    return {
      perSecond: ((now.count - first.count) * 1_000) / tookMs,
      leftMs: ((1 - now.part) * tookMs) / part,
    }
  }
}
