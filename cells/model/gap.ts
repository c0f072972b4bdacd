// A stretch of the log that a cell never saw, and will not: it was gone when the cell came back. Its posts can be had from another
// cell; who followed, blocked or muted whom in it, nobody knows.

/** Offsets of [fromOffset, toOffset) in one partition. Times are Unix ms. */
export type GapPart = {
  readonly partition: number
  readonly fromOffset: number
  readonly toOffset: number
  /** The last record applied before it. */
  readonly fromMs: number
  /** From then on every change is known: a snapshot must be as late to say what was missed. */
  readonly toMs: number
}
