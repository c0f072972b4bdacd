// Where in the window a position lies: at some sequence numbers it is noted that everything before them was applied before a
// position. So it can be told, of inboxes that hold everything up to some position, which entries of the window they have.
//
//     seq       tail ....... mark ........... mark ............ head
//     position                P1    <=         P2     <=        now
//
// Bounded: of too many marks every second one is forgotten, which only makes answers smaller.

import { hasReached, type Position } from './position.ts'

type Mark = { readonly seq: number; readonly position: Position }

const MARKS_MAX = 1_024

export class WindowMarks {
  #marks: Mark[] = []

  /** Everything before `seq` was applied before `position`. Both only grow. */
  note(seq: number, position: Position): void {
    // The first position says more than a later one.
    if (this.#marks.at(-1)?.seq === seq) return
    this.#marks.push({ seq, position: [...position] })
    if (this.#marks.length <= MARKS_MAX) return
    this.#marks = this.#marks.filter((_, i) => i % 2 === 1)
  }

  /** The greatest known sequence number before which everything was applied before `position`; 0 when none is known. */
  seqBefore(position: Position): number {
    const mark = this.#marks.findLast((each) => hasReached(position, each.position))
    return mark?.seq ?? 0
  }

  /** Forgets what lies before the window's tail. */
  dropBefore(tail: number): void {
    const first = this.#marks.findIndex(({ seq }) => seq >= tail)
    if (first > 0) this.#marks.splice(0, first)
  }
}
