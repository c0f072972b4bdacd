// Two processes of one cell can live for a while: one that was stopped past its lease and wakes, and its successor. Both write to
// one store. Nothing that the older one (the zombie) writes may be counted on by the newer one, nor missed by it:
//
//   the successor   claims -> reads -> writes again, with its own boot, what it goes on from (checkpoint, reach, pulled authors)
//   the zombie      makes a row durable -> confirms its claim -> only then does what cannot be taken back
//
// So either the zombie hears of the claim and stops, or the successor reads what the zombie wrote. Table by table, why a zombie
// does no harm:
//
//   posts, marks        both apply one log; rows carry offsets, erasing is final
//   names               a number counts only after its name was durable and the claim confirmed: so the successor has read it; one that
//                       lands after that is not among those that the successor's checkpoint names, and counts for nobody
//   number ranges       the same, for the reserved end
//   readers             rows name the position they reflect, and use confirmed numbers only; of two the successor's stays, which has written
//                       again what its inboxes go without before they do
//   checkpoint          the successor has written the one it read with its own boot: a zombie's loses
//   reach               the same; what a zombie says of its chunks counts for nobody who did not read it
//   chunks, generations numbered by boot; chunks of a generation that is not known are passed over
//   window blocks       named by boot; dropped only after the claim was confirmed, after a checkpoint that needs them no more
//   greatest, raises    of two rows the successor's stays, which has applied what its own checkpoints stand for
//   class               pulled is written again by the successor; a zombie's pull covers less, which is safe
//   followers           rows carry offsets
//   dropTerm            of a term that is over, or that no placement names, after the claim was confirmed; nobody reads what lands later
//   cache               every process has a cache epoch of its own

import type { CheckpointTable } from '../ports/cell-store.ts'
import type { Persistence } from './persist.ts'

/** Another process has taken over this cell; this one must end. */
export class CellSuperseded extends Error {
  readonly code = 'CELL_SUPERSEDED'
  override readonly name = 'CellSuperseded'
}

export class Claim {
  readonly boot: number
  readonly #table: CheckpointTable
  readonly #persistence: Persistence

  constructor(options: { boot: number; table: CheckpointTable; persistence: Persistence }) {
    this.boot = options.boot
    this.#table = options.table
    this.#persistence = options.persistence
  }

  /** Before anything is read that another process may go on writing. */
  make(): Promise<void> {
    return this.#persistence.untilDurable(() => this.#table.claim(this.boot))
  }

  /** Resolves if no later boot had claimed the store when this was called; throws CellSuperseded otherwise. */
  async confirm(): Promise<void> {
    const claimedBy = await this.#persistence.untilDurable(() => this.#table.claimedBy())
    if (claimedBy <= this.boot) return
    throw new CellSuperseded(`boot ${claimedBy} has taken over from boot ${this.boot}`)
  }
}
