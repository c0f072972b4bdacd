// For operators: cells, the slots that move between them, and who stands by for whom.

import {
  AdminServiceService as methods,
  type Move as WireMove,
  MoveChange,
  MovePhase,
} from '../../gen/cellfeed/admin/v1/admin_service.ts'
import type { CallOptions } from './channel.ts'
import type { Session } from './session.ts'

export interface MoveCalls {
  /** Adds a cell that owns nothing yet; false if it was there. */
  addCell(cell: string, options?: ChangeOptions): Promise<boolean>

  /** Removes a cell that owns nothing any more; false if it was not there. */
  removeCell(cell: string, options?: ChangeOptions): Promise<boolean>

  /** Slots that are on their way from one cell to another, and standbys. */
  moves(options?: CallOptions): Promise<Move[]>

  /** Begins to move slots, all of them of one other cell. */
  moveSlots(slots: readonly SlotRun[], to: string, options?: ChangeOptions): Promise<PlannedMove>

  /**
   * Aborts a move before its cutover or takes it back after it; has it verified again; pauses and resumes it; or says that nobody
   * wants to go back. Answers what that changed, in a line.
   */
  changeMove(id: number, change: MoveChangeName, options?: ChangeOptions): Promise<string>

  /**
   * Gives a user a slot of their own in a cell, where no plan for balance moves it; with everybody in the slot where they live now.
   * The move that is under way when it was asked for before; undefined: they are pinned there already.
   */
  pinUser(userId: string, cell: string, options?: ChangeOptions): Promise<PlannedMove | undefined>

  /** Says which cell stands by for all slots of another one; answers what is begun. Without `standby`: none does. */
  setStandby(
    cell: string,
    standby: string | undefined,
    options?: ChangeOptions,
  ): Promise<{ readonly moves: readonly Move[] } & Residents>

  /** Takes the slots of a cell away from it: to ready standbys at once, else by moves to the other cells. Nothing, if it owns none. */
  failOver(
    cell: string,
    options?: ChangeOptions,
  ): Promise<{ readonly takenOver: readonly Move[]; readonly moved: readonly Move[] } & Residents>

  /** Who changed cells, moves and standbys, when and how: the newest ones, newest first. */
  changes(limit: number, options?: CallOptions): Promise<PlacementChange[]>
}

/** `dryRun`: nothing is changed; the answer is what would be. */
export type ChangeOptions = CallOptions & { readonly dryRun?: boolean }

/** Slots next to each other, both ends included. */
export type SlotRun = { readonly first: number; readonly last: number }

export type MovePhaseName =
  | 'PREPARING'
  | 'COPYING'
  | 'VERIFYING'
  | 'DIFFERS'
  | 'READY'
  | 'RETIRING'
  | 'UNKNOWN'

export type MoveChangeName = 'abort' | 'roll-back' | 'verify' | 'pause' | 'resume' | 'retire'

export interface Move {
  readonly id: number
  readonly slots: readonly SlotRun[]
  readonly from: string
  readonly to: string
  readonly phase: MovePhaseName
  /** It stops when it is ready, until the source is dead. */
  readonly isStandby: boolean
  readonly isPaused: boolean
  /** One line for people, if the phase needs explaining; else empty. */
  readonly detail: string
  /** While it is copied: how much is there, from 0 to 1, and what was copied. */
  readonly copiedPart: number
  readonly readersCopied: bigint
  readonly bytesCopied: bigint
  /** How many users of the slots get a slot of their own by it. */
  readonly pinnedUsers: number
  /** When the target became the owner; undefined before. */
  readonly cutOverAt: Date | undefined
}

/** Who lives in the slots, and the bytes of their state in memory; 0 when their cell does not answer. */
export interface Residents {
  readonly readers: bigint
  readonly bytes: bigint
}

export type PlannedMove = Move & Residents

export interface PlacementChange {
  readonly epoch: bigint
  readonly at: Date | undefined
  readonly by: string
  readonly what: string
}

/** `session`: on the admin port. `operator`: who asks. */
export function moveCalls(session: () => Session, operator: string): MoveCalls {
  return {
    async addCell(cell, { dryRun = false, ...options } = {}) {
      return (await session().ask(methods.addCell, { cell, dryRun, operator }, options)).added
    },

    async removeCell(cell, { dryRun = false, ...options } = {}) {
      return (await session().ask(methods.removeCell, { cell, dryRun, operator }, options)).removed
    },

    async moves(options) {
      const { moves } = await session().ask(methods.listMoves, {}, options)
      return moves.map(moveOf)
    },

    async moveSlots(slots, to, { dryRun = false, ...options } = {}) {
      const request = { slots: [...slots], to, dryRun, operator }
      const { move, readers, bytes } = await session().ask(methods.moveSlots, request, options)
      if (move === undefined) throw new Error('the answer names no move')
      return { ...moveOf(move), readers, bytes }
    },

    async changeMove(id, change, { dryRun = false, ...options } = {}) {
      const request = { id: BigInt(id), change: changes[change], dryRun, operator }
      return (await session().ask(methods.changeMove, request, options)).what
    },

    async pinUser(userId, cell, { dryRun = false, ...options } = {}) {
      const request = { userId, cell, dryRun, operator }
      const { move, readers, bytes } = await session().ask(methods.pinUser, request, options)
      return move && { ...moveOf(move), readers, bytes }
    },

    async setStandby(cell, standby = '', { dryRun = false, ...options } = {}) {
      const request = { cell, standby, dryRun, operator }
      const { moves, ...residents } = await session().ask(methods.setStandby, request, options)
      return { moves: moves.map(moveOf), ...residents }
    },

    async failOver(cell, { dryRun = false, ...options } = {}) {
      const request = { cell, dryRun, operator }
      const answer = await session().ask(methods.failOver, request, options)
      const { takenOver, moved, ...residents } = answer
      return { takenOver: takenOver.map(moveOf), moved: moved.map(moveOf), ...residents }
    },

    async changes(limit, options) {
      return (await session().ask(methods.listChanges, { limit }, options)).changes
    },
  }
}

const phaseNames = new Map<number, MovePhaseName>(
  (['PREPARING', 'COPYING', 'VERIFYING', 'DIFFERS', 'READY', 'RETIRING'] as const).map((name) => [
    MovePhase[name],
    name,
  ]),
)

const changes = {
  abort: MoveChange.ABORT,
  'roll-back': MoveChange.ROLL_BACK,
  verify: MoveChange.VERIFY_AGAIN,
  pause: MoveChange.PAUSE,
  resume: MoveChange.RESUME,
  retire: MoveChange.RETIRE,
} as const

export function moveOf({ id, phase, cutOverAt, ...rest }: WireMove): Move {
  return { ...rest, id: Number(id), phase: phaseNames.get(phase) ?? 'UNKNOWN', cutOverAt }
}
