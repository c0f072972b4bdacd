// Asks something outside whether it works, again and again, and remembers the last answer: so that "is it ready?" is
// answered at once, also while what is asked about hangs.

import type { Clock } from '../../cells/ports/clock.ts'

export type ProbeParts = {
  /** Rejects when it does not work. */
  readonly ask: () => Promise<unknown>
  readonly clock: Clock
  readonly everyMs: number
  /** An answer that takes longer counts as none. */
  readonly patienceMs: number
  /** Told when it begins to work, and when it no longer does. */
  readonly changed: (works: boolean) => void
}

export class Probe {
  readonly #parts: ProbeParts
  #why: string | undefined = 'not asked yet'

  constructor(parts: ProbeParts) {
    this.#parts = parts
  }

  /** Why it does not work; undefined when it did at the last asking. */
  get why(): string | undefined {
    return this.#why
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, everyMs } = this.#parts
    while (!signal.aborted) {
      await this.askNow(signal)
      await clock.sleep(everyMs, signal)
    }
  }

  async askNow(signal: AbortSignal): Promise<void> {
    const { ask, clock, patienceMs, changed } = this.#parts
    const answered = new AbortController()
    const end = () => answered.abort()
    signal.addEventListener('abort', end, { once: true })
    const inTime = ask().then(
      () => undefined,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    )
    const late = clock.sleep(patienceMs, answered.signal).then(() => 'no answer in time')
    const why = await Promise.race([inTime, late])
    signal.removeEventListener('abort', end)
    answered.abort()
    if (signal.aborted) return
    const worked = this.#why === undefined
    this.#why = why
    if (worked !== (why === undefined)) changed(why === undefined)
  }
}
