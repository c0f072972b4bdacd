// A cell as its process serves it to others: nothing is answered before the lease is looked at, and an answer that was begun
// before the process stood still is made anew.

import type { Position } from '../../cells/model/position.ts'
import type { PostId } from '../../cells/model/post-id.ts'
import type { CellName } from '../../cells/model/placement.ts'
import type { UserKey } from '../../cells/model/user-key.ts'
import type {
  Answer,
  AuthorPage,
  Call,
  CellClient,
  CellStatus,
  DashboardQuery,
  Explanation,
  FollowersPage,
  FollowingPage,
  Page,
  Place,
  PostFound,
  ReadersPage,
  ReadersQuery,
  RelationsPage,
  SlotsQuery,
  SlotsReport,
  Unread,
  WatchItem,
} from '../../cells/ports/cell-client.ts'

/** What of a CellLease a call needs. */
export type Lease = {
  readonly term: number | undefined
  confirmed(signal: AbortSignal): Promise<void>
}
type PublicCall = Omit<Call, 'viewer'>
type AuthorPostsQuery = { readonly limit: number; readonly older: Place | undefined }
type ListQuery = { readonly after: UserKey | undefined; readonly limit: number }

export class LeasedCell implements CellClient {
  readonly cell: CellName
  readonly #served: CellClient
  readonly #lease: Lease

  constructor(served: CellClient, lease: Lease) {
    this.cell = served.cell
    this.#served = served
    this.#lease = lease
  }

  dashboard(call: Call, query: DashboardQuery): Promise<Answer<Page>> {
    return this.#held(call, () => this.#served.dashboard(call, query))
  }

  watch(call: Call, since?: Position): Promise<Answer<AsyncIterable<WatchItem>>> {
    return this.#held(call, () => this.#served.watch(call, since))
  }

  countUnread(call: Call, cap: number): Promise<Answer<Unread>> {
    return this.#held(call, () => this.#served.countUnread(call, cap))
  }

  post(call: Call, author: UserKey, postId: PostId): Promise<Answer<PostFound>> {
    return this.#held(call, () => this.#served.post(call, author, postId))
  }

  authorPosts(call: Call, author: UserKey, query: AuthorPostsQuery): Promise<Answer<AuthorPage>> {
    return this.#held(call, () => this.#served.authorPosts(call, author, query))
  }

  following(call: Call, query: ListQuery): Promise<Answer<FollowingPage>> {
    return this.#held(call, () => this.#served.following(call, query))
  }

  followersHere(
    call: PublicCall,
    query: ListQuery & { readonly author: UserKey },
  ): Promise<Answer<FollowersPage>> {
    return this.#held(call, () => this.#served.followersHere(call, query))
  }

  relations(call: Call, query: ListQuery): Promise<Answer<RelationsPage>> {
    return this.#held(call, () => this.#served.relations(call, query))
  }

  closeGap(call: PublicCall): Promise<Answer<{ readonly closed: boolean }>> {
    return this.#held(call, () => this.#served.closeGap(call))
  }

  explain(call: Call, post: Place): Promise<Answer<Explanation>> {
    return this.#held(call, () => this.#served.explain(call, post))
  }

  publicPost(call: PublicCall, author: UserKey, postId: PostId): Promise<Answer<PostFound>> {
    return this.#held(call, () => this.#served.publicPost(call, author, postId))
  }

  publicAuthorPosts(
    call: PublicCall,
    author: UserKey,
    query: AuthorPostsQuery,
  ): Promise<Answer<AuthorPage>> {
    return this.#held(call, () => this.#served.publicAuthorPosts(call, author, query))
  }

  readersOf(slot: number, query: ReadersQuery): Promise<ReadersPage | undefined> {
    return this.#served.readersOf(slot, query)
  }

  slots(query?: SlotsQuery): Promise<SlotsReport> {
    return this.#served.slots(query)
  }

  status(): Promise<CellStatus> {
    return this.#served.status()
  }

  async #held<T>({ seen, signal }: PublicCall, ask: () => Promise<Answer<T>>): Promise<Answer<T>> {
    while (!signal.aborted) {
      const { term } = this.#lease
      if (term === undefined) {
        await this.#lease.confirmed(signal)
        continue
      }
      const answer = await ask()
      if (this.#lease.term === term) return answer
    }
    return { kind: 'late', missing: seen, position: [] }
  }
}
