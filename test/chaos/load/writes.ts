// The writes of one session. Each says whether it was acknowledged; each takes the lock on what it changes, is noted in the history, and tried as a client would.

import { type Cellfeed, CellfeedError } from '../../../services/client/connect.ts'
import type { Dice } from '../../simulation/random.ts'
import type { RelationKind } from '../history/history.ts'
import type { Operation } from '../history/operation.ts'
import type { PostFact, WrittenPost } from '../history/post-fact.ts'
import { attempt } from './attempts.ts'
import type { Load } from './load.ts'
import { pairOf } from './locks.ts'

export type Author = {
  readonly load: Load
  readonly session: string
  readonly feed: Cellfeed
  readonly dice: Dice
  readonly signal: AbortSignal
}

/** Under an id that is allocated first: without one nothing is written. */
export async function publish(author: Author, post: Omit<WrittenPost, 'postId'>): Promise<boolean> {
  const { load, feed } = author
  try {
    const [postId] = await feed.allocatePostIds(1, { timeoutMs: load.plan.timeoutMs })
    return postId !== undefined && (await publishAs(author, { ...post, postId }))
  } catch (error) {
    if (!(error instanceof CellfeedError)) throw error
    load.tally.failed(`allocate: ${error.reason}`)
    return false
  }
}

/** A publish repeated with its id is the same post. */
export function publishAs(author: Author, post: WrittenPost): Promise<boolean> {
  const { load, feed, session } = author
  const { postId, text } = post
  const reblogOf = post.origin && refOf(post.origin)
  return write(author, `${post.author}/${postId}`, {
    begin: () => load.history.publish(session, post),
    call: (timeoutMs) => feed.publish(post.author, { postId, text, reblogOf }, { timeoutMs }),
  })
}

export function edit(author: Author, post: PostFact, text: string): Promise<boolean> {
  const { load, feed, session } = author
  return write(author, post.name, {
    begin: () => load.history.edit(session, post, text),
    call: (timeoutMs) => feed.editPost(refOf(post), { text }, { timeoutMs }),
  })
}

export function remove(author: Author, post: PostFact): Promise<boolean> {
  const { load, feed, session } = author
  return write(author, post.name, {
    begin: () => load.history.delete(session, post),
    call: (timeoutMs) => feed.deletePost(refOf(post), { timeoutMs }),
  })
}

export type Relating = {
  readonly kind: RelationKind
  readonly user: string
  readonly target: string
  readonly on: boolean
}

export function relate(author: Author, relation: Relating): Promise<boolean> {
  const { load, feed, session } = author
  const { kind, user, target, on } = relation
  const method = (
    {
      follow: on ? 'follow' : 'unfollow',
      block: on ? 'block' : 'unblock',
      mute: on ? 'mute' : 'unmute',
    } as const
  )[kind]
  return write(author, pairOf(user, target), {
    begin: () => load.history.relate(session, relation),
    call: (timeoutMs) => feed[method](user, target, { timeoutMs }),
  })
}

export function markRead(author: Author, user: string, postId: string): Promise<boolean> {
  const { load, feed, session } = author
  return write(author, `mark of ${user}`, {
    begin: () => load.history.markRead(session, user, postId),
    call: (timeoutMs) => feed.markRead(user, postId, { timeoutMs }),
  })
}

/** Whether it was acknowledged. Nothing happens if somebody is changing the same thing. */
async function write(
  { load, dice, signal }: Author,
  lock: string,
  change: {
    readonly begin: () => Operation
    readonly call: (timeoutMs: number) => Promise<unknown>
  },
): Promise<boolean> {
  const release = load.locks.take(lock)
  if (release === undefined) return false
  try {
    const { history } = load
    const random = () => dice.below(1_000) / 1_000
    const operation = change.begin()
    const attempting = { history, timeoutMs: load.plan.timeoutMs, random, signal }
    const isAcknowledged = await attempt(attempting, operation, change.call)
    const { outcome } = operation
    if (outcome !== 'pending') load.tally.wrote(outcome)
    if (outcome === 'unknown' || outcome === 'refused') load.tally.failed(operation.lastAnswer)
    return isAcknowledged
  } finally {
    release()
  }
}

function refOf({ author, postId }: PostFact) {
  return { authorId: author, postId }
}
