// A cell in another process, as if it were here. Every call is one ask on the connection's stream and one reply. A call that
// was not sent when a connection broke is made once more on the next one; of one that was sent nobody knows, and as all of them
// are reads, the client may repeat it.

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
import {
  bytesOfKey,
  explanationOf,
  keyOfBytes,
  keyThere,
  placeOf,
  postFoundOf,
  postIdThere,
  relationsOf,
  statusOf,
  wirePlace,
} from '../cell/cell-messages.ts'
import { positionOfBytes } from '../cell/position-bytes.ts'
import type { CellReply } from '../cell/reply-codec.ts'
import { type AskCall, Asker } from './asker.ts'
import { CellConnection, type ConnectionParts } from './cell-connection.ts'
import { RemoteWatch } from './remote-watch.ts'
import { answerOf, valueOf } from './reply-value.ts'

type PublicCall = Omit<Call, 'viewer'>
type ReadCall = PublicCall & {
  readonly viewer?: UserKey | undefined
  readonly epoch?: number | undefined
}
type AuthorPostsQuery = { readonly limit: number; readonly older: Place | undefined }

/** One for each call: what many calls shared would collect their listeners. */
const never = (): AbortSignal => new AbortController().signal

export class RemoteCell implements CellClient {
  readonly cell: CellName
  readonly #connection: CellConnection
  readonly #asker: Asker

  constructor(parts: ConnectionParts) {
    this.cell = parts.cell
    this.#connection = new CellConnection(parts)
    this.#asker = new Asker(this.#connection, parts)
  }

  /** Whether it is worth asking: the cell serves, or that will be known in a moment. */
  get isUsable(): boolean {
    return this.#connection.isUsable
  }

  /** The cell is said to be at this address now. */
  followTo(address: string): void {
    this.#connection.followTo(address)
  }

  close(): void {
    this.#connection.close()
  }

  dashboard(call: Call, query: DashboardQuery): Promise<Answer<Page>> {
    const { limit, from, countUnreadTo, pulled = false } = query
    const place = from && wirePlace(from.place)
    const value = {
      limit,
      olderThan: from?.direction === 'older' ? place : undefined,
      newerThan: from?.direction === 'newer' ? place : undefined,
      countUnreadTo,
      pulled,
    }
    return this.#ask(call, { $case: 'dashboard', value }, (reply) => {
      const page = valueOf(reply, 'page')
      const { readMark } = page
      return {
        posts: reply.posts,
        older: placeOf(page.older),
        newer: placeOf(page.newer),
        readMark: readMark === undefined ? undefined : postIdThere(readMark),
        unread: page.unread,
      }
    })
  }

  watch(call: Call, since?: Position): Promise<Answer<AsyncIterable<WatchItem>>> {
    return RemoteWatch.open(call, this.#asker, since)
  }

  countUnread(call: Call, cap: number): Promise<Answer<Unread>> {
    const ask = { $case: 'countUnread', value: { cap } } as const
    return this.#ask(call, ask, (reply) => valueOf(reply, 'unread'))
  }

  post(call: Call, author: UserKey, postId: PostId): Promise<Answer<PostFound>> {
    return this.#post(call, author, postId)
  }

  publicPost(call: PublicCall, author: UserKey, postId: PostId): Promise<Answer<PostFound>> {
    return this.#post(nobody(call), author, postId)
  }

  #post(call: ReadCall, author: UserKey, postId: PostId): Promise<Answer<PostFound>> {
    const ask = { $case: 'post', value: { post: wirePlace({ author, postId }) } } as const
    return this.#ask(call, ask, (reply) => postFoundOf(valueOf(reply, 'post'), reply.posts[0]))
  }

  authorPosts(call: Call, author: UserKey, query: AuthorPostsQuery): Promise<Answer<AuthorPage>> {
    return this.#authorPosts(call, author, query)
  }

  publicAuthorPosts(
    call: PublicCall,
    author: UserKey,
    query: AuthorPostsQuery,
  ): Promise<Answer<AuthorPage>> {
    return this.#authorPosts(nobody(call), author, query)
  }

  #authorPosts(
    call: ReadCall,
    author: UserKey,
    query: AuthorPostsQuery,
  ): Promise<Answer<AuthorPage>> {
    const { limit, older } = query
    const value = { author: bytesOfKey(author), limit, olderThan: wirePlace(older) }
    return this.#ask(call, { $case: 'authorPosts', value }, (reply) => ({
      posts: reply.posts,
      older: placeOf(valueOf(reply, 'authorPage').older),
    }))
  }

  following(
    call: Call,
    { after, limit }: { readonly after: UserKey | undefined; readonly limit: number },
  ): Promise<Answer<FollowingPage>> {
    const ask = { $case: 'following', value: { after: bytesOfKey(after), limit } } as const
    return this.#ask(call, ask, (reply) => {
      const { following, next } = valueOf(reply, 'following')
      const authors = following.map(({ author, id, hideReblogs }) => {
        return { author: keyThere(author), id, hideReblogs }
      })
      return { following: authors, next: keyOfBytes(next) }
    })
  }

  followersHere(
    call: PublicCall,
    query: {
      readonly author: UserKey
      readonly after: UserKey | undefined
      readonly limit: number
    },
  ): Promise<Answer<FollowersPage>> {
    const { author, after, limit } = query
    const value = { author: bytesOfKey(author), after: bytesOfKey(after), limit }
    return this.#ask(call, { $case: 'followersHere', value }, (reply) => {
      const { followers, next } = valueOf(reply, 'followers')
      const users = followers.map(({ user, id }) => ({ user: keyThere(user), id }))
      return { followers: users, next: keyOfBytes(next) }
    })
  }

  relations(
    call: Call,
    { after, limit }: { readonly after: UserKey | undefined; readonly limit: number },
  ): Promise<Answer<RelationsPage>> {
    const ask = { $case: 'relations', value: { after: bytesOfKey(after), limit } } as const
    return this.#ask(call, ask, (reply) => relationsOf(valueOf(reply, 'relations')))
  }

  closeGap(call: PublicCall): Promise<Answer<{ readonly closed: boolean }>> {
    const ask = { $case: 'closeGap', value: {} } as const
    return this.#ask(nobody(call), ask, (reply) => valueOf(reply, 'closeGap'))
  }

  explain(call: Call, post: Place): Promise<Answer<Explanation>> {
    const ask = { $case: 'explain', value: { post: wirePlace(post) } } as const
    return this.#ask(call, ask, (reply) => explanationOf(valueOf(reply, 'explain')))
  }

  async status(): Promise<CellStatus> {
    const call = { seen: [], signal: never() }
    const ask = { $case: 'status', value: {} } as const
    const answer = await this.#ask(call, ask, (reply) => {
      return statusOf(valueOf(reply, 'status'), reply.position)
    })
    if (answer.kind !== 'ok') throw new Error(`cell ${this.cell} answered ${answer.kind}`)
    return answer.value
  }

  async readersOf(
    slot: number,
    { after, limit, withIds = false }: ReadersQuery,
  ): Promise<ReadersPage | undefined> {
    const value = { slot, after: bytesOfKey(after), limit, withIds }
    const ask = { $case: 'readersOf', value } as const
    const answer = await this.#ask({ seen: [], signal: never() }, ask, (reply) => {
      const { found, readers, ids, next } = valueOf(reply, 'readersOf')
      return found ? { readers: readers.map(keyThere), ids, next: keyOfBytes(next) } : undefined
    })
    if (answer.kind !== 'ok') throw new Error(`cell ${this.cell} answered ${answer.kind}`)
    return answer.value
  }

  async slots({ logEnd = false, loads = false }: SlotsQuery = {}): Promise<SlotsReport> {
    const ask = { $case: 'slots', value: { logEnd, loads } } as const
    const answer = await this.#ask({ seen: [], signal: never() }, ask, (reply) => {
      return valueOf(reply, 'slots')
    })
    if (answer.kind !== 'ok') throw new Error(`cell ${this.cell} answered ${answer.kind}`)
    const end = logEnd ? positionOfBytes(answer.value.logEnd) : undefined
    return { ...answer.value, position: answer.position, logEnd: end }
  }

  async #ask<T>(
    { viewer, epoch, seen, signal }: ReadCall,
    ask: AskCall,
    read: (reply: CellReply) => T,
  ): Promise<Answer<T>> {
    return answerOf(await this.#asker.ask({ viewer, epoch, seen, signal }, ask), read)
  }
}

/** Without a viewer, also if the caller's object has one. */
function nobody({ seen, signal }: PublicCall): ReadCall {
  return { seen, signal }
}
