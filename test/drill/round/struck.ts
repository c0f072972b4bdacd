// What was done to the cluster in a round, and how its users came through it.

import type { Outage } from '../reads/judge-reads.ts'
import type { Quarter } from '../reads/homes.ts'
import type { PagedWalk } from '../readers/pager.ts'
import type { SeenPhase } from './watched-move.ts'

export type Killed = {
  readonly role: string
  readonly name: string
  readonly phase: SeenPhase
  readonly outage: Outage
  readonly awayMs: number
  /** From when it was started again until it served. */
  readonly backMs: number
}

export type Ended = 'moved' | 'aborted' | 'rolled back' | 'went home'

export type Struck = {
  readonly added: string | undefined
  readonly from: string
  readonly to: string
  readonly quarters: readonly Quarter[]
  readonly killed: Killed
  readonly ended: Ended
  /** From its beginning to its cutover, if there was one. */
  readonly cutOverAfterMs: number | undefined
  /** With a standby: from kill -9 until all users of the cell were served; from its start until they lived there again. */
  readonly servedAfterMs?: number
  readonly homeAfterMs?: number
  readonly walks: readonly PagedWalk[]
}
