// Events for the contract suites: one of each kind, and posts that are easy to make and to tell apart.

import type { Fact, Unreadable } from '../../cells/model/event.ts'
import { IdAllocator } from '../../cells/model/id-allocator.ts'
import type { EventId, PostId } from '../../cells/model/post-id.ts'
import { userRef } from '../../cells/model/user-key.ts'
import type { LogRecord, ProducedEvent } from '../../cells/ports/firehose.ts'

const ids = new IdAllocator(1)
const START_MS = 1_700_000_000_000
const anna = userRef('anna')
const bert = userRef('bért ☃')

export function newEventId(): EventId {
  return ids.allocate(START_MS) as EventId
}

export function newPostId(): PostId {
  return ids.allocate(START_MS) as PostId
}

export function produced(fact: Exclude<Fact, Unreadable>): ProducedEvent {
  return { id: newEventId(), fact }
}

export function postBy(authorId: string, text = ''): ProducedEvent {
  return produced({
    kind: 'post-created',
    author: userRef(authorId),
    postId: newPostId(),
    head: Uint8Array.of(1, 2, 3),
    content: new TextEncoder().encode(text),
    reblogOf: undefined,
    audience: 'public',
  })
}

/** One event of every kind, with and without what is optional. */
export function oneOfEachKind(): ProducedEvent[] {
  const postId = newPostId()
  const bytes = Uint8Array.of(0, 255, 7)
  const asOfMs = START_MS - 5
  const facts: Exclude<Fact, Unreadable>[] = [
    { ...postFact(), reblogOf: { author: bert, postId }, audience: 'followers' },
    { ...postFact(), reblogOf: undefined, audience: 'public' },
    { kind: 'post-edited', author: anna, postId, content: bytes, audience: 'followers' },
    { kind: 'post-deleted', author: anna, postId },
    { kind: 'post-liked', author: anna, postId, user: bert },
    { kind: 'post-unliked', author: anna, postId, user: bert },
    { kind: 'followed', user: bert, author: anna, hideReblogs: true, asOfMs: undefined },
    { kind: 'followed', user: bert, author: anna, hideReblogs: false, asOfMs },
    { kind: 'unfollowed', user: bert, author: anna, asOfMs },
    { kind: 'blocked', user: bert, target: anna, asOfMs: undefined },
    { kind: 'unblocked', user: bert, target: anna, asOfMs },
    { kind: 'muted', user: bert, target: anna, asOfMs },
    { kind: 'unmuted', user: bert, target: anna, asOfMs: undefined },
    { kind: 'read-marked', user: bert, postId },
    { kind: 'user-deleted', user: bert },
  ]
  return facts.map(produced)
}

function postFact() {
  return {
    kind: 'post-created' as const,
    author: anna,
    postId: newPostId(),
    head: Uint8Array.of(9),
    content: new Uint8Array(0),
  }
}

/** The record's event as `plain` makes it. */
export function eventOf({ event }: LogRecord): unknown {
  return plain(event)
}

/** The value with all bytes as text: compares quickly, and whichever kind of byte array an adapter gives. */
export function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('base64')}`
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]))
}
