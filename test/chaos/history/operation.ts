// One thing that a user wanted, with all attempts that the client made for it, and what is known of its outcome:
//
//   acknowledged   the last attempt was: it happened, once and for all
//   refused        every attempt was answered "nothing happened"
//   unknown        some attempt may have happened, or may still happen later
//   pending        being tried now
//
// Times are ticks of the history: a counter, so that order is all they say.

export type Outcome = 'acknowledged' | 'refused' | 'unknown'

/** A reader must see everything acknowledged up to `at`, and all that its own session had acknowledged up to `ownAt`. */
export type Floor = { readonly session: string; readonly at: number; readonly ownAt: number }

/** The session of those operations that nobody did: what the log says about a fact whose writers do not know. */
export const LOG = 'log'

export class Operation {
  readonly what: string
  readonly session: string
  readonly beganAt: number
  readonly #attempts: Outcome[] = []
  readonly #answers: string[] = []
  #endedAt = Number.POSITIVE_INFINITY

  constructor(what: string, session: string, beganAt: number) {
    this.what = what
    this.session = session
    this.beganAt = beganAt
  }

  /** An attempt was answered, or not; `answer` is for people. */
  attempted(outcome: Outcome, answer: string): void {
    this.#attempts.push(outcome)
    this.#answers.push(answer)
  }

  /** No further attempt is made. */
  end(at: number): void {
    this.#endedAt = at
  }

  /** The log was asked what came of it. */
  settle(outcome: 'acknowledged' | 'refused', at: number): void {
    this.#attempts.splice(0, Number.POSITIVE_INFINITY, outcome)
    this.#answers.push(outcome === 'acknowledged' ? 'it is in the log' : 'it is not in the log')
    this.#endedAt = at
  }

  get outcome(): Outcome | 'pending' {
    if (this.#attempts.at(-1) === 'acknowledged') return 'acknowledged'
    if (this.#endedAt === Number.POSITIVE_INFINITY) return 'pending'
    return this.#attempts.includes('unknown') ? 'unknown' : 'refused'
  }

  get lastAnswer(): string {
    return this.#answers.at(-1) ?? ''
  }

  /** How many attempts may have changed something. */
  get effectsMax(): number {
    return this.#attempts.filter((outcome) => outcome !== 'refused').length
  }

  /** Whether a reader with this floor must see it. */
  isKnown(floor: Floor): boolean {
    if (this.outcome !== 'acknowledged') return false
    return this.#endedAt <= (this.session === floor.session ? floor.ownAt : floor.at)
  }

  /** Whether what is read up to this time may show it. */
  isPossible(until: number): boolean {
    return this.beganAt <= until && this.outcome !== 'refused'
  }

  /** For people. */
  get story(): string {
    const end = Number.isFinite(this.#endedAt) ? this.#endedAt : ''
    return `[${this.beganAt}-${end} ${this.session}] ${this.what}: ${this.#answers.join(', ') || 'no answer yet'}`
  }
}
