// For operators: which slots to move so that all cells have about as much to do, and moving them.

import {
  AdminServiceService as methods,
  MoveChange,
  type RebalanceResponse,
} from '../../gen/cellfeed/admin/v1/admin_service.ts'
import type { CallOptions } from './channel.ts'
import { type Move, moveOf, type SlotRun } from './move-calls.ts'
import type { Session } from './session.ts'

export interface BalanceCalls {
  /** A plan by what is measured now; nothing is changed. */
  planBalance(wanted?: BalanceWish, options?: CallOptions): Promise<BalancePlan>

  /**
   * Plans the same and carries it out, wave by wave; ends after the last one, or when a gate between two waves stops it. When the
   * iteration is left sooner no wave is begun any more; what was begun goes on. It is not tried again when the connection breaks.
   */
  rebalance(
    wanted?: BalanceWish,
    options?: Pick<CallOptions, 'signal'>,
  ): AsyncIterable<RebalanceEvent>
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

/** Waves count from 1. */
type WaveNumbers = { readonly wave: number; readonly waves: number }
export type RebalanceEvent =
  | { readonly kind: 'plan'; readonly plan: BalancePlan }
  | ({ readonly kind: 'wave-begins'; readonly moves: readonly WaveMove[] } & WaveNumbers)
  /** A move of the wave, whenever it got on. */
  | { readonly kind: 'move'; readonly move: Move }
  /** Why the next wave does not begin yet, for people. */
  | { readonly kind: 'waiting'; readonly why: string }
  | ({
      readonly kind: 'wave-done'
      readonly tookMs: number
      /** By now, in all waves. */
      readonly readersMoved: bigint
    } & WaveNumbers)
  | ({ readonly kind: 'stopped' } & RebalanceStopped)

export interface RebalanceStopped {
  readonly reason: string
  /** Moves that go on when they are resumed. */
  readonly paused: readonly number[]
  /** What takes the wave back. */
  readonly back: readonly { readonly id: number; readonly change: 'abort' | 'roll-back' }[]
}

/** `session`: on the admin port. `operator`: who asks. */
export function balanceCalls(session: () => Session, operator: string): BalanceCalls {
  return {
    async planBalance({ drained = [], drainOnly = false } = {}, options) {
      return session().ask(methods.planBalance, { drained: [...drained], drainOnly }, options)
    },

    async *rebalance({ drained = [], drainOnly = false } = {}, options = {}) {
      const { channel } = session()
      const request = { drained: [...drained], drainOnly, operator }
      for await (const { event } of channel.stream(methods.rebalance, request, options)) {
        const known = eventOf(event)
        if (known !== undefined) yield known
      }
    },
  }
}

function eventOf(event: RebalanceResponse['event']): RebalanceEvent | undefined {
  switch (event?.$case) {
    case 'plan':
      return { kind: 'plan', plan: event.value }
    case 'waveBegins':
      return { kind: 'wave-begins', ...event.value }
    case 'move':
      return { kind: 'move', move: moveOf(event.value) }
    case 'waiting':
      return { kind: 'waiting', why: event.value }
    case 'waveDone':
      return { kind: 'wave-done', ...event.value, tookMs: Number(event.value.tookMs) }
    case 'stopped': {
      const { reason, paused, back } = event.value
      const ways = back.map(({ id, change }) => {
        const isBack = change === MoveChange.ROLL_BACK
        return { id: Number(id), change: isBack ? ('roll-back' as const) : ('abort' as const) }
      })
      return { kind: 'stopped', reason, paused: paused.map(Number), back: ways }
    }
    case undefined:
      return undefined
  }
}
