// WatchDashboard: what changes on a dashboard, as it happens. First the watch is opened at the cell, then what the client
// missed is read from its token: so nothing falls between the two, and some posts may come twice.
//
// Of a watch straight at a cell the client does the last step: the cell ends it with MOVED, after a heartbeat, from whose token it goes on.
//
//     open watch at the cell -> missed posts, oldest first -> heartbeat -> items as they come, heartbeats between
//                ^                                                              |
//                +---------------- reset (the client lists anew) <--------------+ reload
//                                                                               |
//          items go on from there <- open watch at the viewer's new cell <------+ moved

import { hasReached, largerOf, type Position } from '../../cells/model/position.ts'
import type { UserKey } from '../../cells/model/user-key.ts'
import type { Page, Place, PostView, WatchItem } from '../../cells/ports/cell-client.ts'
import {
  ResetReason,
  type WatchDashboardRequest,
  WatchDashboardResponse,
} from '../../gen/cellfeed/v1/dashboard_service.ts'
import { endsAtTop, newerOf, PLACE_BEFORE_ALL, placeBehind } from './dashboard-places.ts'
import type { CallContext } from './front-desk.ts'
import { type DashboardDesk, seenBefore } from './gateway-desk.ts'
import { PAGE_SIZE_MAX, checkUser } from './validate.ts'
import { encodePosts } from './wire.ts'
import { withTicks } from '../runtime/with-ticks.ts'
import { encoded } from '../runtime/encoded.ts'

const ADDED = 1
const EDITED = 3
type Reload = Extract<WatchItem, { readonly kind: 'reload' }>
type WireEvent = NonNullable<WatchDashboardResponse['event']>

export function watchDashboard(
  desk: DashboardDesk,
  request: WatchDashboardRequest,
  context: CallContext,
): AsyncIterable<Buffer> {
  return new DashboardWatch(desk, request, context.signal).events()
}

class DashboardWatch {
  readonly #desk: DashboardDesk
  readonly #request: WatchDashboardRequest
  readonly #signal: AbortSignal
  readonly #viewer: UserKey
  /** What the client's picture reflects. */
  #seen: Position
  /** Where the client goes on after a broken connection. */
  #newer: Place = PLACE_BEFORE_ALL

  constructor(desk: DashboardDesk, request: WatchDashboardRequest, signal: AbortSignal) {
    this.#desk = desk
    this.#request = request
    this.#signal = signal
    this.#viewer = checkUser(request.userId, 'user_id').key
    this.#seen = []
  }

  async *events(): AsyncGenerator<Buffer, void, void> {
    const owner = { call: 'dashboard', user: this.#viewer } as const
    const token = this.#request.newerPageToken
    const opened = this.#desk.pages.open(token, owner, 'newer_page_token')
    this.#seen = seenBefore(this.#desk, this.#request.consistencyTokens, opened)
    const resumed = await this.#resume()
    let items = resumed ?? (await this.#open())
    if (opened?.postId === undefined) await this.#findTop()
    else if (resumed === undefined) {
      yield* this.#missed({ postId: opened.postId, author: opened.author })
    } else this.#newer = { postId: opened.postId, author: opened.author }
    for (let isResumed = resumed !== undefined; ; isResumed = false) {
      yield this.#heartbeat(isResumed)
      const reload = yield* this.#live(items)
      if (reload === undefined) return
      if (reload.position.length > 0) {
        // Nothing to tell the client: the new cell goes on where this one ended, or says that it can not.
        this.#seen = largerOf(reload.position, this.#seen)
        // A cell that is asked directly knows no other one: the client goes there with this token.
        yield this.#heartbeat()
        items = await this.#open(reload.position)
        continue
      }
      items = await this.#open()
      yield this.#encode({ $case: 'reset', value: { reason: reasonOf(reload), authorId: '' } })
    }
  }

  /** Undefined when the watch begins anew: the cell can not tell what came since; or the client has seen, elsewhere, what is newer. */
  async #resume(): Promise<AsyncIterable<WatchItem> | undefined> {
    const { resumeToken } = this.#request
    if (resumeToken === '') return undefined
    const since = this.#desk.tokens.read(resumeToken, 'resume_token')
    if (!hasReached(since, this.#seen)) return undefined
    this.#seen = since
    const items = (await this.#open(since))[Symbol.asyncIterator]()
    const first = await items.next()
    if (first.done === true || first.value.kind === 'reload') {
      await items.return?.()
      return undefined
    }
    return { [Symbol.asyncIterator]: () => items }
  }

  async #open(since?: Position): Promise<AsyncIterable<WatchItem>> {
    const { value, position } = await this.#desk.reader.asViewer(this.#call(), (cell, call) =>
      cell.watch(call, since),
    )
    // What came since then is told by its items.
    if (since === undefined) this.#seen = largerOf(position, this.#seen)
    return value
  }

  /** Items until the cell wants the dashboard to be listed anew; undefined when the stream is to end. */
  async *#live(items: AsyncIterable<WatchItem>): AsyncGenerator<Buffer, Reload | undefined, void> {
    const { clock, limits } = this.#desk
    const ticked = withTicks(items, { everyMs: limits.heartbeatMs, clock, signal: this.#signal })
    for await (const next of ticked) {
      if (next.kind === 'tick') {
        yield this.#heartbeat()
        continue
      }
      const { item } = next
      if (item.kind === 'reload') return item
      this.#seen = largerOf(item.position, this.#seen)
      const message = this.#encodeItem(item)
      if (message !== undefined) yield message
    }
    return undefined
  }

  #encodeItem(item: Exclude<WatchItem, Reload>): Buffer | undefined {
    switch (item.kind) {
      case 'added':
        return this.#added(item.post)
      case 'edited':
        return encodePosts([item.post], this.#rest(undefined), EDITED)
      case 'removed': {
        const value = { authorId: item.authorId, postId: String(item.postId) }
        return this.#encode({ $case: 'removed', value })
      }
      case 'read-mark':
        return this.#encode({ $case: 'readMarkMoved', value: { readMark: String(item.postId) } })
      case 'position':
        return undefined
    }
  }

  /** Posts newer than the place, oldest first; too many of them, and the client lists anew instead. */
  async *#missed(from: Place): AsyncGenerator<Buffer, void, void> {
    const { pageMax, pages } = missedPages(this.#desk.limits.watchMissedPostsMax)
    let place = from
    this.#newer = from
    for (let page = 0; page < pages; page++) {
      const { value } = await this.#page({ limit: pageMax, from: { direction: 'newer', place } })
      for (const post of value.posts.toReversed()) yield this.#added(post)
      if (value.newer !== undefined) place = newerOf(place, value.newer)
      this.#newer = newerOf(this.#newer, place)
      if (endsAtTop(value)) return
    }
    await this.#findTop()
    yield this.#encode({
      $case: 'reset',
      value: { reason: ResetReason.FELL_BEHIND, authorId: '' },
    })
  }

  async #findTop(): Promise<void> {
    const { value } = await this.#page({ limit: 1, from: undefined })
    if (value.newer !== undefined) this.#newer = newerOf(this.#newer, value.newer)
  }

  async #page(query: {
    readonly limit: number
    readonly from: { readonly direction: 'newer'; readonly place: Place } | undefined
  }): Promise<{ readonly value: Page }> {
    return this.#desk.reader.asViewer(this.#call(), (cell, call) =>
      cell.dashboard(call, { ...query, countUnreadTo: undefined }),
    )
  }

  #call() {
    return { viewer: this.#viewer, seen: this.#seen, signal: this.#signal }
  }

  #added(post: PostView): Buffer {
    const { clockSkewMs } = this.#desk.cellLimits
    this.#newer = newerOf(this.#newer, placeBehind(post.postId, clockSkewMs))
    return encodePosts([post], this.#rest(undefined), ADDED)
  }

  #heartbeat(resumed = false): Buffer {
    const owner = { call: 'dashboard', user: this.#viewer } as const
    const { pages } = this.#desk
    const newerPageToken = pages.sealPlace(owner, 'newer', this.#newer, this.#seen)
    return this.#encode({ $case: 'heartbeat', value: { newerPageToken, resumed } })
  }

  #encode(event: WireEvent): Buffer {
    return Buffer.from(this.#rest(event))
  }

  #rest(event: WireEvent | undefined): Uint8Array {
    const consistencyToken = this.#desk.tokens.write(this.#seen)
    return encoded(WatchDashboardResponse, { event, consistencyToken })
  }
}

function missedPages(postsMax: number): { pageMax: number; pages: number } {
  const pageMax = Math.min(PAGE_SIZE_MAX, postsMax)
  return { pageMax, pages: Math.ceil(postsMax / pageMax) }
}

function reasonOf(reload: Reload): ResetReason {
  switch (reload.reason) {
    case 'too-slow':
      return ResetReason.FELL_BEHIND
    case 'graph-changed':
      return ResetReason.FOLLOWS_CHANGED
    case 'moved':
    case 'stopping':
      return ResetReason.MOVED
  }
}
