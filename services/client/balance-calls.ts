// For operators: which slots to move so that all cells have about as much to do.

import { AdminServiceService as methods } from '../../gen/cellfeed/admin/v1/admin_service.ts'
import type { CallOptions } from './channel.ts'
import type { SlotRun } from './move-calls.ts'
import type { Session } from './session.ts'

export interface BalanceCalls {
  /** A plan by what is measured now; nothing is changed. `moveSlots` carries it out, wave by wave. */
  planBalance(wanted?: BalanceWish, options?: CallOptions): Promise<BalancePlan>
}

export interface BalanceWish {
  /** Cells that are to own nothing afterwards. */
  readonly drained?: readonly string[]
  /** Only empties those: no other slot moves. */
  readonly drainOnly?: boolean
}

export interface BalancePlan {
  /** To be moved one after the other. Small ones first. */
  readonly waves: readonly { readonly moves: readonly WaveMove[] }[]
  /** In times the mean as it will be. */
  readonly cells: readonly {
    readonly cell: string
    readonly before: number
    readonly after: number
  }[]
  readonly slotsMoved: number
  /** No plan with the same result moves fewer. */
  readonly slotsMovedMin: number
  /** Who lives in the slots, and the bytes of their state in memory. */
  readonly readers: bigint
  readonly bytes: bigint
  /** Why it gets no better, for people; empty when it is as good as it should be. */
  readonly shortfalls: readonly string[]
}

export interface WaveMove {
  readonly slots: readonly SlotRun[]
  readonly from: string
  readonly to: string
  readonly readers: bigint
  readonly bytes: bigint
}

/** `session`: on the admin port. */
export function balanceCalls(session: () => Session): BalanceCalls {
  return {
    async planBalance({ drained = [], drainOnly = false } = {}, options) {
      return session().ask(methods.planBalance, { drained: [...drained], drainOnly }, options)
    },
  }
}
