// A user's read mark: the greatest that was ever set.

import type { Floor, Operation } from './operation.ts'

export class MarkFact {
  readonly user: string
  readonly #marks: { readonly operation: Operation; readonly postId: bigint }[] = []

  constructor(user: string) {
    this.user = user
  }

  add(operation: Operation, postId: string): void {
    this.#marks.push({ operation, postId: BigInt(postId) })
  }

  /** Undefined: nothing was ever marked. */
  mayBe(mark: string | undefined, floor: Floor, until: number): boolean {
    const least = this.#marks
      .filter(({ operation }) => operation.isKnown(floor))
      .reduce((greatest, { postId }) => (postId > greatest ? postId : greatest), 0n)
    const shown = mark === undefined ? 0n : BigInt(mark)
    if (shown < least) return false
    return (
      mark === undefined ||
      this.#marks.some(({ operation, postId }) => postId === shown && operation.isPossible(until))
    )
  }

  /** For people. */
  get story(): string {
    return `marks of ${this.user}: ${this.#marks.map(({ operation }) => operation.story).join('; ') || 'none'}`
  }
}
