// Who is changing what: a name is held by one operation at a time, so that the order of operations on one fact is known.

export class Locks {
  readonly #held = new Set<string>()

  /** Undefined if somebody holds it; else what gives it back. */
  take(name: string): (() => void) | undefined {
    if (this.#held.has(name)) return undefined
    this.#held.add(name)
    return () => void this.#held.delete(name)
  }
}

/** Everything between two users is one: a block changes the follows both ways. */
export function pairOf(one: string, other: string): string {
  return one < other ? `${one} & ${other}` : `${other} & ${one}`
}
