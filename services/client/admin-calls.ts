// For operators: cells, placement, and why a post is or is not on a dashboard. Served on a port of
// its own.

import {
  AdminServiceService as methods,
  type AuthorFigures as WireFigures,
  type Cell as WireCell,
  type CellLoading as WireLoading,
  type CellPolicy as WirePolicy,
  CellState,
  EntrySource,
  ExplainReason,
  LoadingStep,
  type PartitionLag as WirePartitionLag,
  type PairFigures as WirePair,
  type PolicyCosts as WireCosts,
  ReaderClass,
  type Related as WireRelated,
} from '../../gen/cellfeed/admin/v1/admin_service.ts'
import type { CallOptions } from './channel.ts'
import { fromPostRef, type PostRef } from './post.ts'
import type { Session } from './session.ts'

/** A cell at this moment; the fields are documented in cellfeed/admin/v1. */
export type CellStatus = Omit<WireCell, 'state' | 'loading'> & {
  readonly state: Exclude<keyof typeof CellState, 'UNSPECIFIED' | 'UNRECOGNIZED'> | 'UNKNOWN'
  /** How far it is while it is LOADING; undefined if that is not known. */
  readonly loading: CellLoading | undefined
}

/** `step`: posts that are copied from another cell, or events that are applied. `part`: of the whole, 0 to 1. */
export interface CellLoading {
  readonly step: 'posts' | 'events'
  readonly done: bigint
  readonly part: number
}

export type PartitionLag = WirePartitionLag

export interface Explanation {
  readonly onDashboard: boolean
  /** Why, for programs: for example 'ON_DASHBOARD', 'NOT_FOLLOWED'. See `ExplainReason`. */
  readonly reason: string
  /** Why, in one sentence for people. */
  readonly sentence: string
  /** The reader's cell, and how far it is behind. */
  readonly cell: string
  readonly slot: number
  readonly lagMs: number
  readonly lagEvents: bigint
  /** Where the cell takes the post from. */
  readonly source: 'window' | 'inbox' | 'pulled' | undefined
  /** From which id on inbox and window together hold all of the author's posts for this reader; undefined when the pair is left out. */
  readonly coveredFromPostId: string | undefined
  /** Whether the author's posts are left out of inboxes, and pulled when somebody looks. */
  readonly authorPulled: boolean
  /** Whether the author is delivered, but left out of this reader's inbox. */
  readonly pairLeftOut: boolean
  /** What decided that; undefined until the cell has decided since its start. */
  readonly authorFigures: AuthorFigures | undefined
  /** What decided it for this reader and author; undefined also when the reader does not follow. */
  readonly pairFigures: PairFigures | undefined
  /** How the reader is served, whoever they follow. See `ReaderClass`. */
  readonly readerClass: 'WATCHER' | 'DORMANT' | 'HEAVY' | 'REGULAR' | undefined
}

/** What a cell delivers and what it pulls; the fields are documented in cellfeed/admin/v1. */
export type CellPolicy = Omit<WirePolicy, 'costs'> & { readonly costs: PolicyCosts }
/** Of each kind of work, microseconds; and the bytes of an entry. */
export type PolicyCosts = WireCosts
/** What an author's class rests on; the fields are documented in cellfeed/admin/v1. */
export type AuthorFigures = WireFigures
/** What is decided of one reader and one author rests on; the fields are documented in cellfeed/admin/v1. */
export type PairFigures = WirePair

export interface Placement {
  readonly clusterId: string
  readonly epoch: bigint
  readonly slotCount: number
  /** Where the user lives, if one was asked for. */
  readonly user:
    | { readonly slot: number; readonly pinned: boolean; readonly cell: string }
    | undefined
  /** Which cell stands by for which. */
  readonly standbys: readonly { readonly cell: string; readonly standby: string }[]
}

/** How a user stands to another one. */
export type Related = WireRelated

export interface Relations {
  readonly related: readonly Related[]
  /** Up to which post the user has read. */
  readonly readMark: string | undefined
}

export interface AdminCalls {
  /** Every cell, with its health and lag. */
  cells(options?: CallOptions): Promise<CellStatus[]>

  /** Why a post is, or is not, on a user's dashboard. */
  explain(userId: string, post: PostRef, options?: CallOptions): Promise<Explanation>

  /** What each cell delivers and what it pulls, and what that costs. */
  policy(options?: CallOptions): Promise<CellPolicy[]>

  /** The placement, and where a user lives in it. */
  placement(userId?: string, options?: CallOptions): Promise<Placement>

  /** All relations of a user, also while the user's cell does not serve for an open gap. */
  relations(userId: string, options?: CallOptions): Promise<Relations>

  /**
   * States that everything a rebuilt cell missed is written by now, through this connection or before. Resolves when the
   * cell has applied it; false if no gap was open.
   */
  closeGap(cell: string, options?: CallOptions): Promise<boolean>
}

const RELATIONS_PER_PAGE = 1_000

/** `session`: on the admin port. `tokens`: of what was written elsewhere. */
export function adminCalls(session: () => Session, tokens: () => string[]): AdminCalls {
  return {
    async relations(userId, options) {
      const related: Related[] = []
      for (let after = Buffer.alloc(0); ; ) {
        const request = { userId, after, limit: RELATIONS_PER_PAGE, consistencyTokens: tokens() }
        const page = await session().ask(methods.listRelations, request, options)
        related.push(...page.related)
        after = Buffer.from(page.next)
        if (after.length === 0) return { related, readMark: page.readMarkPostId || undefined }
      }
    },

    async closeGap(cell, options) {
      const request = { cell, consistencyTokens: tokens() }
      return (await session().ask(methods.closeGap, request, options)).closed
    },

    async cells(options) {
      const { cells } = await session().ask(methods.listCells, {}, options)
      return cells.map((cell) => {
        const state = stateNames.get(cell.state) ?? 'UNKNOWN'
        return { ...cell, state, loading: loadingOf(cell.loading) }
      })
    },

    async explain(userId, post, options) {
      // No tokens: "not applied yet" is an answer here, not something to wait for.
      const request = { userId, post: fromPostRef(post), consistencyTokens: [] }
      const answer = await session().ask(methods.explainPost, request, options)
      const { facts } = answer
      return {
        onDashboard: answer.onDashboard,
        reason: reasonNames.get(answer.reason) ?? 'UNKNOWN',
        sentence: answer.sentence,
        cell: facts?.cell ?? '',
        slot: facts?.slot ?? 0,
        lagMs: facts?.lagMs ?? 0,
        lagEvents: facts?.lagEvents ?? 0n,
        source: facts && sources[facts.source],
        coveredFromPostId: facts?.coveredFromPostId || undefined,
        authorPulled: facts?.authorPulled ?? false,
        pairLeftOut: facts?.pairLeftOut ?? false,
        authorFigures: facts?.authorFigures,
        pairFigures: facts?.pairFigures,
        readerClass: facts && readerClasses[facts.readerClass],
      }
    },

    async policy(options) {
      const { cells } = await session().ask(methods.getPolicy, {}, options)
      return cells.map((cell) => ({ ...cell, costs: cell.costs ?? NO_COSTS }))
    },

    async placement(userId = '', options) {
      const answer = await session().ask(methods.getPlacement, { userId }, options)
      return {
        clusterId: answer.clusterId,
        epoch: answer.epoch,
        slotCount: answer.slots,
        user: answer.user && { ...answer.user },
        standbys: answer.standbys,
      }
    },
  }
}

const NO_COSTS: PolicyCosts = {
  chainUs: 0,
  walkedUs: 0,
  edgeUs: 0,
  entryUs: 0,
  entryBytes: 0,
  pullUs: 0,
  chunkUs: 0,
  inboxUs: 0,
}

const stateNames = new Map<number, CellStatus['state']>(
  (['LOADING', 'CATCHING_UP', 'SERVING', 'DRAINING', 'REFUSING', 'UNREACHABLE'] as const).map(
    (name) => [CellState[name], name],
  ),
)

function loadingOf(loading: WireLoading | undefined): CellLoading | undefined {
  if (loading === undefined) return undefined
  return { ...loading, step: loading.step === LoadingStep.POSTS ? 'posts' : 'events' }
}

const reasonNames = new Map<number, string>(
  Object.entries(ExplainReason).map(([name, number]) => [number, name]),
)

const readerClasses = {
  [ReaderClass.UNSPECIFIED]: undefined,
  [ReaderClass.UNRECOGNIZED]: undefined,
  [ReaderClass.WATCHER]: 'WATCHER',
  [ReaderClass.DORMANT]: 'DORMANT',
  [ReaderClass.HEAVY]: 'HEAVY',
  [ReaderClass.REGULAR]: 'REGULAR',
} as const

const sources = {
  [EntrySource.UNSPECIFIED]: undefined,
  [EntrySource.UNRECOGNIZED]: undefined,
  [EntrySource.WINDOW]: 'window',
  [EntrySource.INBOX]: 'inbox',
  [EntrySource.PULLED]: 'pulled',
} as const
