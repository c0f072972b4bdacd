// How a reader is served, whoever they follow. What each author's posts cost them is decided beside it (edge-classes.ts).
//
//     watcher   told of every post when it is applied, and never dormant, for as long as somebody watches
//     dormant   not seen for long: no inbox gets anything of theirs, and they leave memory
//     heavy     follows so many that pages may walk the window instead of merging chains (merge-way.ts)
//     regular   all others
//
// The first that is true counts.

export type ReaderClass = 'watcher' | 'dormant' | 'heavy' | 'regular'

export type ReaderFacts = {
  readonly isWatching: boolean
  /** Since they were last known to be about. */
  readonly unseenMs: number
  /** Whether a page of theirs may walk the window. */
  readonly mayWalk: boolean
}

export function readerClassOf(
  { isWatching, unseenMs, mayWalk }: ReaderFacts,
  { dormantMs }: { readonly dormantMs: number },
): ReaderClass {
  if (isWatching) return 'watcher'
  if (unseenMs >= dormantMs) return 'dormant'
  return mayWalk ? 'heavy' : 'regular'
}
