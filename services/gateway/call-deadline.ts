// How long a unary call may take: the client's deadline, or the server's own. Waiting ends a little before it, so that an
// answer which says what was missing still arrives; a handler that goes on regardless is answered for at the deadline.
//
//     |---------------- work ----------------|-- margin --|
//     begin                            signal aborts   TOO_LATE, or for a write WRITE_OUTCOME_UNKNOWN

import { ApiError } from './errors.ts'
import type { GatewayLimits } from './gateway-limits.ts'

/** What it means that a call took too long: that it was of no use, or that nobody knows what it did. */
export type LateReason = 'TOO_LATE' | 'WRITE_OUTCOME_UNKNOWN'
type DeadlineLimits = Pick<GatewayLimits, 'deadlineDefaultMs' | 'deadlineMaxMs' | 'answerMarginMs'>

export class CallDeadline {
  readonly #abort = new AbortController()
  readonly #timers: NodeJS.Timeout[]
  #passed: ((error: ApiError) => void) | undefined
  #isOver = false

  readonly #late: LateReason

  /** `deadline` as gRPC gives it: a Date, Unix milliseconds, or infinity for none. */
  constructor(
    deadline: Date | number,
    nowMs: number,
    limits: DeadlineLimits,
    late: LateReason = 'TOO_LATE',
  ) {
    this.#late = late
    const givenMs = timeGiven(Number(deadline) - nowMs, limits)
    const marginMs = Math.min(limits.answerMarginMs, givenMs / 5)
    this.#timers = [
      setTimeout(() => this.#abort.abort(), givenMs - marginMs),
      setTimeout(() => this.#pass(givenMs), givenMs - marginMs / 4),
    ]
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** The work's outcome, or an error with the late reason if the deadline passes first. */
  async race<T>(work: Promise<T>): Promise<T> {
    const passed = new Promise<never>((_, reject) => {
      this.#passed = reject
    })
    try {
      return await Promise.race([work, passed])
    } finally {
      this.end()
    }
  }

  /** The client went away: nobody waits for the work any more. gRPC says so after every call, also one that was answered. */
  cancel(): void {
    if (this.#isOver) return
    this.end()
    this.#abort.abort()
    this.#passed?.(new ApiError(this.#late, 'the client went away'))
  }

  end(): void {
    this.#isOver = true
    for (const timer of this.#timers) clearTimeout(timer)
  }

  #pass(givenMs: number): void {
    this.#abort.abort()
    this.#passed?.(
      new ApiError(this.#late, `the call did not end within ${Math.round(givenMs)} ms`),
    )
  }
}

function timeGiven(askedMs: number, limits: DeadlineLimits): number {
  if (!Number.isFinite(askedMs)) return limits.deadlineDefaultMs
  return Math.max(0, Math.min(askedMs, limits.deadlineMaxMs))
}
