// One call of `append`: settled when all its records are stored, or when one of them failed.

import type { Appended } from '../../cells/ports/firehose.ts'

/** Sent, and nobody knows what became of it: it may have happened, also later. */
export class AppendUnconfirmed extends Error {
  readonly code = 'FIREHOSE_UNCONFIRMED'
  override readonly name = 'AppendUnconfirmed'
}

export class AppendCall {
  readonly promise: Promise<Appended[]>
  readonly deadlineMs: number
  /** Some of it may have reached a broker. */
  isSent = false
  #appended: Appended[]
  #missing: number
  #isSettled = false
  #resolve: (appended: Appended[]) => void = () => undefined
  #reject: (error: Error) => void = () => undefined

  constructor(records: number, deadlineMs: number) {
    this.deadlineMs = deadlineMs
    this.#appended = new Array<Appended>(records)
    this.#missing = records
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  get isSettled(): boolean {
    return this.#isSettled
  }

  stored(index: number, appended: Appended): void {
    if (this.#isSettled) return
    this.#appended[index] = appended
    this.#missing--
    if (this.#missing > 0) return
    this.#isSettled = true
    this.#resolve(this.#appended)
  }

  fail(error: Error): void {
    if (this.#isSettled) return
    this.#isSettled = true
    this.#reject(error)
  }
}
