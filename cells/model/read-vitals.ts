// How reads fare of late: how many, how many failed, and how long the slowest of a hundred took. The last ten seconds, second by
// second, in a fixed number of words.

export type Vitals = {
  /** Both a second. */
  readonly reads: number
  readonly failed: number
  /** 99 of 100 reads took no longer; at most a fifth too high. */
  readonly readP99Ms: number
}

const SECONDS = 10
/** The first holds what took less than a millisecond, each other a fifth more than the one before: up to half an hour. */
const STEP = 1.2
const STEPS = 80
const PERCENTILE = 0.99

export class ReadVitals {
  readonly #took = new Uint32Array(SECONDS * STEPS)
  readonly #failed = new Uint32Array(SECONDS)
  /** The newest second. */
  #second = 0

  note(nowMs: number, tookMs: number, isFailed: boolean): void {
    const at = this.#at(nowMs)
    add(this.#took, at * STEPS + stepOf(tookMs), 1)
    if (isFailed) add(this.#failed, at, 1)
  }

  of(nowMs: number): Vitals {
    this.#at(nowMs)
    const steps = new Uint32Array(STEPS)
    let reads = 0
    for (const [i, count] of this.#took.entries()) {
      add(steps, i % STEPS, count)
      reads += count
    }
    const failed = this.#failed.reduce((sum, count) => sum + count, 0)
    return {
      reads: reads / SECONDS,
      failed: failed / SECONDS,
      readP99Ms: reads === 0 ? 0 : endOf(percentile(steps, reads)),
    }
  }

  /** The place of this second; those that were skipped are emptied. A clock that steps back is not followed. */
  #at(nowMs: number): number {
    const second = Math.max(this.#second, Math.floor(nowMs / 1_000))
    const skipped = Math.min(SECONDS, second - this.#second)
    for (let i = 0; i < skipped; i++) {
      const at = (second - i) % SECONDS
      this.#took.fill(0, at * STEPS, (at + 1) * STEPS)
      this.#failed[at] = 0
    }
    this.#second = second
    return second % SECONDS
  }
}

function add(counts: Uint32Array, at: number, count: number): void {
  counts[at] = (counts[at] as number) + count
}

function stepOf(tookMs: number): number {
  if (tookMs < 1) return 0
  return Math.min(STEPS - 1, 1 + Math.floor(Math.log(tookMs) / Math.log(STEP)))
}

/** Milliseconds that nothing of the step exceeds. */
function endOf(step: number): number {
  return STEP ** step
}

function percentile(steps: Uint32Array, total: number): number {
  let before = 0
  for (const [step, count] of steps.entries()) {
    before += count
    if (before >= total * PERCENTILE) return step
  }
  return STEPS - 1
}
