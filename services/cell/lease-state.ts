// What a cell's process may believe of itself: that it is the one process of its cell.
//
//              renewed                      overdue: the control store does not answer
//      held <-----------+-- lapsed <------------------------------------------------ held
//       |               |     |
//       |   renewed     |     | stood still
//       +-- stood still +-> unconfirmed      answers nothing until it is renewed
//
//      superseded: from everywhere, and for good. Another process has a greater boot.
//
// Stood still: the process was stopped, or its machine slept, for so long that another may have taken its place. Lapsed: it
// has run all the time and only could not renew. Nobody can have taken over through a control store that is away, so it goes
// on, but proves itself against the log's end once in every time of a lease; so a control store that only this process cannot
// reach makes it late at worst, and never wrong.

export type LeaseState =
  | { readonly kind: 'held' }
  | { readonly kind: 'lapsed' }
  | { readonly kind: 'unconfirmed' }
  | { readonly kind: 'superseded'; readonly by: Successor }
export type Successor = { readonly boot: number; readonly address: string }

export type LeaseEvent =
  | { readonly kind: 'renewed' }
  | { readonly kind: 'overdue' }
  | { readonly kind: 'stood-still' }
  | { readonly kind: 'superseded'; readonly by: Successor }

export type LeaseStep = {
  readonly state: LeaseState
  /** The cell is to answer nothing before it has reached the log's end as read from now on. */
  readonly suspend: boolean
}

export function nextLeaseState(state: LeaseState, event: LeaseEvent): LeaseStep {
  if (state.kind === 'superseded') return { state, suspend: false }
  switch (event.kind) {
    case 'renewed':
      return { state: { kind: 'held' }, suspend: false }
    case 'overdue':
      return { state: state.kind === 'held' ? { kind: 'lapsed' } : state, suspend: true }
    case 'stood-still':
      return { state: { kind: 'unconfirmed' }, suspend: true }
    case 'superseded':
      return { state: { kind: 'superseded', by: event.by }, suspend: true }
  }
}

/** Whether the process may answer, as far as the lease goes. */
export function mayAnswer(state: LeaseState): boolean {
  return state.kind === 'held' || state.kind === 'lapsed'
}
