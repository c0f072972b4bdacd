// A bug of the kind that happens: a small change of the cell's source. `old` stands exactly once in the file.

export type Mutant = {
  readonly name: string
  /** What goes wrong, for the table. */
  readonly bug: string
  readonly file: string
  readonly old: string
  readonly new: string
  /** The test that finds it, where the simulation would need too much luck. */
  readonly test?: string
}
