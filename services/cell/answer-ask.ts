// Which call of the cell answers an ask, and how its answer travels. A call that is added to the port gets a case here, a
// method in services/router/remote-cell.ts, and its messages in cell_service.proto.

import type {
  Answer,
  AuthorPage,
  Call,
  CellClient,
  FollowersPage,
  FollowingPage,
  Page,
  PostFound,
  PostView,
} from '../../cells/ports/cell-client.ts'
import type {
  AuthorPostsAsk,
  DashboardAsk,
  PostAsk,
  WatchAsk,
  Ask,
} from '../../gen/cellfeed/internal/v1/cell_service.ts'
import type { UserKey } from '../../cells/model/user-key.ts'
import { whatFits } from '../gateway/wire.ts'
import { CorruptMessage } from '../runtime/protobuf-fields.ts'
import {
  bytesOfKey,
  keyOfBytes,
  keyThere,
  placeOf,
  placeThere,
  wireExplanation,
  wirePlace,
  wirePost,
  wireRelations,
  wireSlots,
  wireStatus,
  wireUnread,
} from './cell-messages.ts'
import { bytesOfPosition } from './position-bytes.ts'
import type { CellReply } from './reply-codec.ts'

/** A call as it came, of a viewer or of nobody. */
export type Asked = Omit<Call, 'viewer'> & { readonly viewer: UserKey | undefined }
export type UnaryAsk = Exclude<NonNullable<Ask['call']>, { readonly $case: 'watch' }>
export type WatchCall = WatchAsk
type Outcome = NonNullable<CellReply['outcome']>

/** Posts of one reply, in bytes. A page of greater ones is read again with as many as fit. */
const REPLY_BYTES_MAX = 3.5 * 1024 * 1024

export async function answerAsk(
  cell: CellClient,
  ask: UnaryAsk,
  call: Asked,
): Promise<Omit<CellReply, 'id'>> {
  switch (ask.$case) {
    case 'dashboard':
      return answered(await dashboard(cell, asViewer(call), ask.value), pageOutcome, postsOf)
    case 'countUnread': {
      const answer = await cell.countUnread(asViewer(call), ask.value.cap)
      return answered(answer, (unread) => ({ $case: 'unread', value: wireUnread(unread) }))
    }
    case 'post':
      return answered(await post(cell, call, ask.value), postOutcome, postFound)
    case 'authorPosts':
      return answered(await authorPosts(cell, call, ask.value), authorPageOutcome, postsOf)
    case 'following': {
      const { after, limit } = ask.value
      const query = { after: keyOfBytes(after), limit }
      return answered(await cell.following(asViewer(call), query), followingOutcome)
    }
    case 'followersHere': {
      const { author, after, limit } = ask.value
      const query = { author: keyThere(author), after: keyOfBytes(after), limit }
      return answered(await cell.followersHere(call, query), followersOutcome)
    }
    case 'explain': {
      const answer = await cell.explain(asViewer(call), placeThere(ask.value.post))
      return answered(answer, (why) => ({ $case: 'explain', value: wireExplanation(why) }))
    }
    case 'relations': {
      const { after, limit } = ask.value
      const query = { after: keyOfBytes(after), limit }
      const answer = await cell.relations(asViewer(call), query)
      return answered(answer, (page) => ({ $case: 'relations', value: wireRelations(page) }))
    }
    case 'closeGap':
      return answered(await cell.closeGap(call), (value) => ({ $case: 'closeGap', value }))
    case 'readersOf': {
      const { slot, after, limit, withIds } = ask.value
      const page = await cell.readersOf(slot, { after: keyOfBytes(after), limit, withIds })
      const value = {
        found: page !== undefined,
        readers: page?.readers.map((key) => bytesOfKey(key)) ?? [],
        ids: [...(page?.ids ?? [])],
        next: bytesOfKey(page?.next),
      }
      return { position: bytesOfPosition([]), outcome: { $case: 'readersOf', value }, posts: [] }
    }
    case 'slots': {
      const { position, ...report } = await cell.slots(ask.value)
      const outcome = { $case: 'slots', value: wireSlots(report) } as const
      return { position: bytesOfPosition(position), outcome, posts: [] }
    }
    case 'status': {
      const status = await cell.status()
      const outcome = { $case: 'status', value: wireStatus(status) } as const
      return { position: bytesOfPosition(status.position), outcome, posts: [] }
    }
  }
}

/** The answer to a call, with what `ok` holds turned into an outcome and its posts. */
export function answered<T>(
  answer: Answer<T>,
  outcomeOf: (value: T) => Outcome,
  postsIn: (value: T) => readonly PostView[] = () => [],
): Omit<CellReply, 'id'> {
  switch (answer.kind) {
    case 'ok': {
      const position = bytesOfPosition(answer.position)
      return { position, outcome: outcomeOf(answer.value), posts: postsIn(answer.value) }
    }
    case 'moved': {
      const { cell, epoch, slot } = answer
      return {
        position: bytesOfPosition([]),
        outcome: { $case: 'moved', value: { cell, epoch, slot } },
        posts: [],
      }
    }
    case 'late': {
      const missing = bytesOfPosition(answer.missing)
      const position = bytesOfPosition(answer.position)
      return { position, outcome: { $case: 'late', value: { missing } }, posts: [] }
    }
  }
}

/** Throws CorruptMessage. */
export function asViewer(call: Asked): Call {
  if (call.viewer === undefined) throw new CorruptMessage('a call that needs a viewer has none')
  return call as Call
}

function dashboard(cell: CellClient, call: Call, ask: DashboardAsk): Promise<Answer<Page>> {
  const { countUnreadTo, pulled } = ask
  const older = placeOf(ask.olderThan)
  const newer = placeOf(ask.newerThan)
  const from =
    older !== undefined
      ? ({ direction: 'older', place: older } as const)
      : newer && ({ direction: 'newer', place: newer } as const)
  return thatFits(
    (limit) => cell.dashboard(call, { limit, from, countUnreadTo, pulled }),
    ask.limit,
  )
}

function post(cell: CellClient, call: Asked, ask: PostAsk): Promise<Answer<PostFound>> {
  const { author, postId } = placeThere(ask.post)
  return call.viewer === undefined
    ? cell.publicPost(call, author, postId)
    : cell.post(asViewer(call), author, postId)
}

function authorPosts(
  cell: CellClient,
  call: Asked,
  ask: AuthorPostsAsk,
): Promise<Answer<AuthorPage>> {
  const author = keyThere(ask.author)
  const older = placeOf(ask.olderThan)
  return thatFits(
    (limit) =>
      call.viewer === undefined
        ? cell.publicAuthorPosts(call, author, { limit, older })
        : cell.authorPosts(asViewer(call), author, { limit, older }),
    ask.limit,
  )
}

const NO_POSTS: { readonly posts: readonly PostView[] } = { posts: [] }

async function thatFits<T extends { readonly posts: readonly PostView[] }>(
  ask: (limit: number) => Promise<Answer<T>>,
  limit: number,
): Promise<Answer<T>> {
  const read = async (posts: number) => {
    const answer = await ask(posts)
    return { answer, value: answer.kind === 'ok' ? answer.value : NO_POSTS }
  }
  return (await whatFits(read, limit, REPLY_BYTES_MAX)).answer
}

const postsOf = ({ posts }: { readonly posts: readonly PostView[] }) => posts
const postFound = (found: PostFound) => (found.kind === 'found' ? [found.post] : [])

function pageOutcome(page: Page): Outcome {
  return {
    $case: 'page',
    value: {
      older: wirePlace(page.older),
      newer: wirePlace(page.newer),
      readMark: page.readMark,
      unread: wireUnread(page.unread),
    },
  }
}

function postOutcome(found: PostFound): Outcome {
  return { $case: 'post', value: wirePost(found) }
}

function authorPageOutcome(page: AuthorPage): Outcome {
  return { $case: 'authorPage', value: { older: wirePlace(page.older) } }
}

function followingOutcome({ following, next }: FollowingPage): Outcome {
  const wire = following.map(({ author, id, hideReblogs }) => {
    return { author: bytesOfKey(author), id, hideReblogs }
  })
  return { $case: 'following', value: { following: wire, next: bytesOfKey(next) } }
}

function followersOutcome({ followers, next }: FollowersPage): Outcome {
  const wire = followers.map(({ user, id }) => ({ user: bytesOfKey(user), id }))
  return { $case: 'followers', value: { followers: wire, next: bytesOfKey(next) } }
}
