// One line of the table that the benches print together.

export type BenchRow = {
  readonly what: string
  readonly figure: string
  /** What it must reach here; empty where there is no goal. */
  readonly goal: string
  /** The same by another way, measured in the same run; empty where there is none. */
  readonly peer: string
}
