// The client library's entry: `import { connect } from 'cellfeed'`.
//
//   const feed = connect('127.0.0.1:7400')
//   await feed.follow('alice', 'bob')
//   await feed.publish('bob', 'hello')
//   const { posts } = await feed.dashboard('alice')   // bob's post is there
//   feed.close()
//
// What is written through an object is seen by its later reads, and what was seen once is seen
// again, whichever server answers: it keeps the consistency tokens of all answers. A server for
// many users makes one connection, and a `session()` for each user or request.

import { type AdminCalls, adminCalls } from './admin-calls.ts'
import { adminAddressOf, parseAddress } from './address.ts'
import { Channel, type ChannelSettings, type ClientTls } from './channel.ts'
import { type DashboardCalls, dashboardCalls } from './dashboard-calls.ts'
import { DirectReads } from './direct-reads.ts'
import { type FirehoseCalls, firehoseCalls } from './firehose-calls.ts'
import { type GraphCalls, graphCalls } from './graph-calls.ts'
import { type ImportCalls, importCalls } from './import-calls.ts'
import { type BalanceCalls, balanceCalls } from './balance-calls.ts'
import { type MoveCalls, moveCalls } from './move-calls.ts'
import { type PostCalls, postCalls } from './post-calls.ts'
import { defaultRetryPolicy, type RetryPolicy } from './retry.ts'
import { Session } from './session.ts'
import { TokenFrontier } from './token-frontier.ts'

export type {
  AdminCalls,
  AuthorFigures,
  CellPolicy,
  CellStatus,
  Explanation,
  Placement,
  PolicyCosts,
  Related,
  Relations,
} from './admin-calls.ts'
export { CellfeedError, type ErrorCode } from './cellfeed-error.ts'
export type { CallOptions, ClientTls } from './channel.ts'
export type {
  DashboardCalls,
  DashboardChange,
  DashboardOptions,
  DashboardPage,
  Unread,
  WatchOptions,
} from './dashboard-calls.ts'
export type {
  FirehoseBatch,
  FirehoseCalls,
  FirehoseEvent,
  FirehosePositions,
  FirehoseStart,
  PartitionOffset,
  PartitionRange,
} from './firehose-calls.ts'
export type {
  FollowedAuthor,
  FollowersPage,
  FollowingPage,
  GraphCalls,
  RelationsOptions,
} from './graph-calls.ts'
export type {
  ImportCalls,
  ImportedPost,
  ImportProblem,
  ImportRecord,
  ImportResult,
} from './import-calls.ts'
export type { BalanceCalls, BalancePlan, BalanceWish, WaveMove } from './balance-calls.ts'
export type {
  ChangeOptions,
  Move,
  MoveCalls,
  MoveChangeName,
  MovePhaseName,
  PlacementChange,
  PlannedMove,
  SlotRun,
} from './move-calls.ts'
export type { Audience, DashboardPost, Post, PostContent, PostRef } from './post.ts'
export type {
  NewPost,
  PostCalls,
  PostsOptions,
  PostsPage,
  PublishedPost,
  ViewOptions,
} from './post-calls.ts'
export type { RetryPolicy } from './retry.ts'

export interface ConnectOptions {
  /** How long a call may take unless it says otherwise, all attempts together. 10 seconds. */
  readonly timeoutMs?: number | undefined
  /**
   * When calls are made again. Only those are that change nothing when repeated, or of which the
   * server said that nothing happened. `{ attemptsMax: 1 }`: none is.
   */
  readonly retry?: Partial<RetryPolicy> | undefined
  /** Whether reads see what this object wrote and saw before. True. */
  readonly readYourWrites?: boolean | undefined
  /**
   * Whether dashboards are read from the users' cells themselves, which saves a hop; everything else, and
   * what a cell does not answer, goes through the gateway. The cells' ports must be reachable. False.
   */
  readonly direct?: boolean | undefined
  /** With `direct`: who says where users live, "host:port". Unless given, the gateway does. */
  readonly routerAddress?: string | undefined
  /** Speak TLS, to all servers of the cluster. Unless given, connections are plain. */
  readonly tls?: ClientTls | undefined
  /** Where the admin API is: unless given, on the same host at the next port. */
  readonly adminAddress?: string | undefined
  /** Who changes cells and moves, for the list of changes. */
  readonly operator?: string | undefined
}

/** A connection, or a session on one. All failures are `CellfeedError`s. */
export interface Cellfeed
  extends DashboardCalls,
    PostCalls,
    GraphCalls,
    ImportCalls,
    FirehoseCalls,
    AdminCalls,
    MoveCalls,
    BalanceCalls {
  /**
   * A session of its own on the same connection: it sees what was behind the given tokens (another
   * session's `consistencyTokens`, kept in a cookie for example), but nothing else of this one.
   */
  session(consistencyTokens?: readonly string[]): Cellfeed

  /** What this session's reads wait for: opaque strings, few. */
  readonly consistencyTokens: readonly string[]

  /** From now on this session's reads see everything that anyone has written up to now. */
  seeEverything(): Promise<void>

  /** Ends the connection, with all its sessions, calls and streams. */
  close(): void
}

/**
 * Connects to a cellfeed server, "host:port". Returns at once: the first call tells whether a server
 * answers there. An address that can not be one is refused here, with a CellfeedError.
 */
export function connect(address: string, options: ConnectOptions = {}): Cellfeed {
  const target = parseAddress(address)
  const adminTarget =
    options.adminAddress === undefined ? adminAddressOf(target) : parseAddress(options.adminAddress)
  const settings = {
    timeoutMs: options.timeoutMs ?? 10_000,
    retry: { ...defaultRetryPolicy, ...options.retry },
    tls: options.tls,
  }
  const channel = new Channel({ ...settings, address: target })
  let adminChannel: Channel | undefined
  // Few connections are an operator's: the admin port is connected to when first needed.
  const admin = () => {
    adminChannel ??= new Channel({ ...settings, address: adminTarget })
    return new Session(adminChannel, undefined)
  }
  const { direct, closeDirect } = directReads(channel, settings, options)
  const close = () => {
    channel.close()
    closeDirect()
    adminChannel?.close()
  }

  const open = (consistencyTokens: readonly string[] = []): Cellfeed => {
    const keepsTokens = options.readYourWrites ?? true
    const frontier = keepsTokens ? new TokenFrontier(consistencyTokens) : undefined
    const session = new Session(channel, frontier, direct)
    return {
      ...dashboardCalls(session),
      ...postCalls(session),
      ...graphCalls(session),
      ...importCalls(session),
      ...firehoseCalls(session),
      ...adminCalls(admin, () => session.tokens),
      ...moveCalls(admin, options.operator ?? ''),
      ...balanceCalls(admin, options.operator ?? ''),
      session: open,
      get consistencyTokens() {
        return session.tokens
      },
      seeEverything: () => session.seeEverything(),
      close,
    }
  }
  return open()
}

function directReads(
  gateway: Channel,
  settings: Omit<ChannelSettings, 'address'>,
  { direct = false, routerAddress }: ConnectOptions,
): { readonly direct: DirectReads | undefined; readonly closeDirect: () => void } {
  if (!direct) return { direct: undefined, closeDirect: () => {} }
  const { timeoutMs } = settings
  const once = { ...settings, retry: { ...settings.retry, attemptsMax: 1 } }
  const open = (address: string) => new Channel({ ...once, address })
  const router = routerAddress === undefined ? gateway : open(parseAddress(routerAddress))
  const reads = new DirectReads({ gateway, router, open, timeoutMs, nowMs: () => Date.now() })
  const closeDirect = () => {
    reads.close()
    router.close()
  }
  return { direct: reads, closeDirect }
}
