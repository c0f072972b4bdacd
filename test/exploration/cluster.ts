// Two cells, the log and the control store as the exploration sees them: what a crash, a late answer or a sleeping driver can make a
// difference to, and nothing else. One slot moves; the other cell always owns another one.
//
// Nothing here is ever changed: a step makes a new cluster that shares what stayed the same.

import type { MoveEvent } from '../../cells/model/move.ts'
import { FIRST_TERM, firstPlacement, ownerOf, type Placement } from '../../cells/model/placement.ts'
import type { Position } from '../../cells/model/position.ts'
import { setStandby } from '../../cells/model/standbys.ts'
import type { Bug } from './bugs.ts'
import { LOG_START, NOWHERE, postsBelow } from './log.ts'
import { type View, viewOf } from './view.ts'

export type Name = 'A' | 'B'
export const NAMES = ['A', 'B'] as const
/** The slot that moves. */
export const SLOT = 0

/** The slot in a cell's memory, from the term's mark in its store on. */
export type Copy = {
  readonly term: number
  readonly move: number
  /** The source's checkpoint that a replay begins at; undefined once nothing is left to be replayed. */
  readonly asOf: Position | undefined
  readonly stage: 'marked' | 'copied' | 'complete'
  /** Partitions whose own records count, as bits. */
  readonly attached: number
  readonly posts: number
  readonly isDurable: boolean
}

/** The slot as a checkpoint names it. */
export type Kept = Pick<Copy, 'term' | 'move' | 'posts'>

export type Disk = {
  /** Of the newest checkpoint. */
  readonly position: Position
  readonly kept: Kept | undefined
  /** Terms of which there are rows. */
  readonly rows: readonly number[]
}

export type Running = {
  /** What it knows of the placement. */
  readonly view: View
  readonly position: Position
  /** It answers when it has reached this; undefined once it has. */
  readonly servesFrom: Position | undefined
  readonly copy: Copy | undefined
  /** Forgotten, and dropped when no checkpoint names them. */
  readonly dropping: readonly number[]
}

export type Host = {
  readonly disk: Disk
  /** Undefined while it is down. */
  readonly running: Running | undefined
  /** Of a cell that does not answer now: up to where it did. */
  readonly shown: Position
}

/** What a driver has in mind: all of it was seen after `base` was read. */
export type Look = { readonly base: Placement } & (
  | { readonly kind: 'cut over' | 'roll back'; readonly past: Position }
  | { readonly kind: 'say'; readonly event: MoveEvent }
)

export type Cluster = {
  readonly placement: Placement
  readonly A: Host
  readonly B: Host
  readonly look: Look | undefined
  /** What the owner had shown when the move came into its phase: who owns the slot next has to have passed it. */
  readonly toPass: Position
  /** The source was down since the move came into its phase. */
  readonly wasDown: boolean
  readonly crashesLeft: number
  readonly plansLeft: number
}

export type Rules = {
  readonly crashes: number
  /** Moves that are planned, by operators or because a cell is dead. */
  readonly plans: number
  /** B stands by for A. */
  readonly hasStandby: boolean
  /** Rows are dropped some time after they may be; they are nobody's business then, so it makes no difference. */
  readonly dropsLate?: boolean
  readonly bug?: Bug
}

export function firstCluster({ crashes, plans, hasStandby }: Rules): Cluster {
  const plain = firstPlacement(NAMES, NAMES.length)
  const ruled = hasStandby ? setStandby(plain, { cell: 'A', standby: 'B' }, 0) : plain
  if ('refused' in ruled) throw new Error(ruled.refused)
  const kept = { term: FIRST_TERM, move: 0, posts: postsBelow(LOG_START) }
  const running = (name: Name): Running => ({
    view: viewOf(ruled, name),
    position: LOG_START,
    servesFrom: undefined,
    copy: undefined,
    dropping: [],
  })
  return {
    placement: ruled,
    A: {
      disk: { position: LOG_START, kept, rows: [FIRST_TERM] },
      running: { ...running('A'), copy: restored(kept) },
      shown: NOWHERE,
    },
    B: {
      disk: { position: LOG_START, kept: undefined, rows: [] },
      running: running('B'),
      shown: NOWHERE,
    },
    look: undefined,
    toPass: NOWHERE,
    wasDown: false,
    crashesLeft: crashes,
    plansLeft: plans,
  }
}

/** What a checkpoint stands for. */
export function restored(kept: Kept): Copy {
  return { ...kept, asOf: undefined, stage: 'complete', attached: 0b11, isDurable: true }
}

export function ownerIn(placement: Placement): Name {
  return ownerOf(placement, SLOT).cell === 'A' ? 'A' : 'B'
}

export function otherThan(name: Name): Name {
  return name === 'A' ? 'B' : 'A'
}

export function isReady({ running }: Host): boolean {
  return running !== undefined && running.servesFrom === undefined
}

/** Up to where it may have answered. */
export function shownBy(host: Host): Position {
  return host.running !== undefined && isReady(host) ? host.running.position : host.shown
}

export function withHost(cluster: Cluster, name: Name, host: Host): Cluster {
  return name === 'A' ? { ...cluster, A: host } : { ...cluster, B: host }
}

/** With something else in the memory of a cell that runs, and in its store. */
export function withRunning(
  cluster: Cluster,
  name: Name,
  change: Partial<Running>,
  onDisk: Partial<Disk> = {},
): Cluster {
  const host = cluster[name]
  if (host.running === undefined) throw new Error(`${name} does not run`)
  const running = { ...host.running, ...change }
  return withHost(cluster, name, { ...host, running, disk: { ...host.disk, ...onDisk } })
}
