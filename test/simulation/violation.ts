// What a checker throws: a promise of the design that did not hold. The run ends with the first one.

export class Violation extends Error {
  override readonly name = 'Violation'
  readonly got: unknown
  readonly want: unknown

  constructor(message: string, seen: { readonly got?: unknown; readonly want?: unknown } = {}) {
    super(message)
    this.got = seen.got
    this.want = seen.want
  }
}

/** The value, which must be there: a mistake of the simulation itself otherwise. */
export function known<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`the simulation lost ${what}`)
  return value
}
