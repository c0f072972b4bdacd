// Something that is on or off, as the last change says: a follow, a block, a mute. Operations on one switch follow each
// other (the load sees to that), so the log's order of the acknowledged ones is known. One with an unknown outcome leaves
// the switch open until a later acknowledged one settles it.

import type { Floor, Operation } from './operation.ts'

type Change = { readonly operation: Operation; readonly on: boolean }

export class SwitchFact {
  readonly name: string
  readonly #changes: Change[] = []

  constructor(name: string) {
    this.name = name
  }

  add(operation: Operation, on: boolean): void {
    this.#changes.push({ operation, on })
  }

  get changes(): readonly Change[] {
    return this.#changes
  }

  /** Whether a reader with this floor may see it so, reading until then. */
  mayBe(on: boolean, floor: Floor, until: number): boolean {
    const known = this.#lastKnown(floor)
    if ((this.#changes[known]?.on ?? false) === on) return true
    return this.mayTurn(on, floor, until)
  }

  /** Whether it may have been turned so after what the floor knows. */
  mayTurn(on: boolean, floor: Floor, until: number): boolean {
    return this.#changes
      .slice(this.#lastKnown(floor) + 1)
      .some((change) => change.on === on && change.operation.isPossible(until))
  }

  /** What an acknowledged operation, or nothing at all, last left it at; undefined while a later one is open. */
  get settled(): boolean | undefined {
    const last = this.#changes.findLast(({ operation }) => operation.outcome !== 'refused')
    if (last === undefined) return false
    return last.operation.outcome === 'acknowledged' ? last.on : undefined
  }

  /** The last one that may have happened. */
  get last(): Change | undefined {
    return this.#changes.findLast(({ operation }) => operation.outcome !== 'refused')
  }

  /** For people. */
  get story(): string {
    const changes = this.#changes.map(
      ({ operation, on }) => `${on ? 'on' : 'off'} by ${operation.story}`,
    )
    return `${this.name}: ${changes.join('; ') || 'never changed'}`
  }

  #lastKnown(floor: Floor): number {
    return this.#changes.findLastIndex(({ operation }) => operation.isKnown(floor))
  }
}
