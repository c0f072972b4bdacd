// The reference model by hand: small logs whose dashboards anyone can work out on paper. If these are wrong, every check of the
// simulation is.

import { describe, expect, test } from 'vitest'
import type { Fact, Unreadable } from '../../../cells/model/event.ts'
import { composeId, type EventId, firstIdAt, type PostId } from '../../../cells/model/post-id.ts'
import { userRef } from '../../../cells/model/user-key.ts'
import { Belonging, compareInDashboard } from '../../simulation/belonging.ts'
import { type Judgement, ReferenceModel } from '../../simulation/reference-model.ts'

const NOW_MS = Date.UTC(2031, 0, 1)
const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const ann = userRef('ann')
const bob = userRef('bob')
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** A log of one partition a topic, and the model that follows it. */
class Story {
  readonly model = new ReferenceModel({
    partitions: 2,
    rules: {
      repeatWindowMs: 2 * MINUTE_MS,
      idAheadMaxMs: 10 * MINUTE_MS,
      relationMemoryMs: 30 * DAY_MS,
    },
  })
  readonly belonging = new Belonging(this.model, 1)
  readonly end = [0, 0]
  #events = 0

  /** Appends at so many milliseconds after the story began. */
  append(
    atMs: number,
    fact: Exclude<Fact, Unreadable>,
    id: EventId = this.eventId(atMs),
  ): Judgement {
    const isPrivate = fact.kind === 'read-marked' || 'target' in fact
    const partition = isPrivate ? 1 : 0
    const offset = this.end[partition] ?? 0
    this.end[partition] = offset + 1
    const record = { offset, appendedAtMs: NOW_MS + atMs, event: { id, fact } }
    return this.model.append(partition, record)
  }

  eventId(atMs: number): EventId {
    return composeId({ ms: NOW_MS + atMs, worker: 1, sequence: this.#events++ }) as EventId
  }

  dashboard(viewer = ann, at: readonly number[] = this.end): string[] {
    const span = { from: at, to: at }
    return this.model
      .posts(at)
      .filter((post) => this.belonging.always(this.belonging.onDashboard(viewer.key, post), span))
      .sort(compareInDashboard)
      .map((post) => Buffer.from(post.content).toString())
  }
}

const follow = (extra: { hideReblogs?: boolean; asOfMs?: number } = {}) => ({
  kind: 'followed' as const,
  user: ann,
  author: bob,
  hideReblogs: extra.hideReblogs ?? false,
  asOfMs: extra.asOfMs,
})
const unfollow = { kind: 'unfollowed' as const, user: ann, author: bob, asOfMs: undefined }
const postId = (atMs: number): PostId => firstIdAt(NOW_MS + atMs)
const post = (atMs: number, text: string, author = bob) => ({
  kind: 'post-created' as const,
  author,
  postId: postId(atMs),
  head: bytes('head'),
  content: bytes(text),
  reblogOf: undefined,
  audience: 'public' as const,
})
const named = (atMs: number) => ({ author: bob, postId: postId(atMs) })

describe('a dashboard', () => {
  test('shows the posts of whom one follows and one’s own, by id, also older than the follow', () => {
    const story = new Story()
    story.append(0, post(0, 'old'))
    story.append(10, follow())
    story.append(30, post(20, 'own', ann))
    story.append(40, post(30, 'new'))
    story.append(50, post(10, 'late'))
    expect(story.dashboard()).toEqual(['new', 'own', 'late', 'old'])
    expect(story.dashboard(bob)).toEqual(['new', 'late', 'old'])
  })

  test('is what the log said at a position', () => {
    const story = new Story()
    story.append(0, follow())
    story.append(1, post(1, 'a'))
    story.append(2, post(2, 'b'))
    story.append(3, unfollow)
    expect(story.dashboard(ann, [2, 0])).toEqual(['a'])
    expect(story.dashboard(ann, [3, 0])).toEqual(['b', 'a'])
    expect(story.dashboard()).toEqual([])
  })

  test('orders equal ids by the key of their authors', () => {
    const story = new Story()
    story.append(0, follow())
    story.append(1, post(1, 'bob'))
    story.append(2, post(1, 'ann', ann))
    const keys = [ann, bob].sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ id }) => id)
    expect(story.dashboard()).toEqual(keys)
  })

  test('hides whom one muted, and both sides of a block', () => {
    const story = new Story()
    story.append(0, follow())
    story.append(1, post(1, 'a'))
    const relation = { user: ann, target: bob, asOfMs: undefined }
    story.append(2, { kind: 'muted', ...relation })
    expect(story.dashboard()).toEqual([])
    story.append(3, { kind: 'unmuted', ...relation })
    expect(story.dashboard()).toEqual(['a'])
    story.append(4, { kind: 'blocked', user: bob, target: ann, asOfMs: undefined })
    expect(story.dashboard()).toEqual([])
  })

  test('leaves reblogs out where they are hidden', () => {
    const story = new Story()
    story.append(0, follow({ hideReblogs: true }))
    story.append(1, post(1, 'a'))
    story.append(2, { ...post(2, 'reblog'), reblogOf: named(1) })
    expect(story.dashboard()).toEqual(['a'])
  })
})

describe('posts', () => {
  test('the first create stays; an edit replaces its content and creates nothing', () => {
    const story = new Story()
    story.append(0, follow())
    story.append(1, {
      kind: 'post-edited',
      ...named(1),
      content: bytes('too early'),
      audience: 'public',
    })
    story.append(2, post(1, 'first'))
    story.append(3, post(1, 'second'))
    expect(story.dashboard()).toEqual(['first'])
    story.append(4, {
      kind: 'post-edited',
      ...named(1),
      content: bytes('edited'),
      audience: 'public',
    })
    expect(story.dashboard()).toEqual(['edited'])
  })

  test('a deletion is final, also of what is not known yet', () => {
    const story = new Story()
    story.append(0, follow())
    story.append(1, { kind: 'post-deleted', ...named(1) })
    story.append(2, post(1, 'never'))
    expect(story.dashboard()).toEqual([])
  })

  test('an id too far ahead is refused, and may come again later', () => {
    const story = new Story()
    story.append(0, follow())
    const ahead = 11 * MINUTE_MS
    story.append(1, post(ahead, 'a'))
    expect(story.dashboard()).toEqual([])
    story.append(2 * MINUTE_MS, post(ahead, 'b'))
    expect(story.dashboard()).toEqual(['b'])
  })

  test('a deleted user shows nowhere, whatever came before or after', () => {
    const story = new Story()
    story.append(0, follow())
    story.append(1, post(1, 'before'))
    story.append(2, { kind: 'user-deleted', user: bob })
    story.append(3, post(3, 'after'))
    expect(story.dashboard()).toEqual([])
  })
})

describe('records', () => {
  test('one repeated is known for ever, one too far from append time is refused', () => {
    const story = new Story()
    const id = story.eventId(0)
    expect(story.append(0, follow(), id)).toBe('applied')
    expect(story.append(1, unfollow)).toBe('applied')
    expect(story.append(2, follow(), id)).toBe('repeated')
    expect(story.append(3, follow(), story.eventId(3 - 2 * MINUTE_MS - 1))).toBe('refused')
    expect(story.append(4, follow(), story.eventId(4 + 2 * MINUTE_MS + 1))).toBe('refused')
  })

  test('time in the log never steps back', () => {
    const story = new Story()
    expect(story.append(10 * MINUTE_MS, follow())).toBe('applied')
    expect(story.append(0, unfollow)).toBe('refused')
  })
})

describe('imports', () => {
  test('a snapshot does not bring back what was undone after it', () => {
    const story = new Story()
    story.append(5_000, unfollow)
    story.append(6_000, post(6_000, 'a'))
    story.append(7_000, follow({ asOfMs: NOW_MS + 4_000 }))
    expect(story.dashboard()).toEqual([])
    story.append(8_000, follow({ asOfMs: NOW_MS + 6_000 }))
    expect(story.dashboard()).toEqual(['a'])
  })

  test('a snapshot older than relations are remembered is refused', () => {
    const story = new Story()
    story.append(0, post(0, 'a'))
    story.append(1, follow({ asOfMs: NOW_MS - 31 * DAY_MS }))
    expect(story.dashboard()).toEqual([])
    story.append(2, follow({ asOfMs: NOW_MS - 29 * DAY_MS }))
    expect(story.dashboard()).toEqual(['a'])
  })
})

describe('a span of positions', () => {
  test('holds what was there somewhere and what was there all the time', () => {
    const story = new Story()
    story.append(0, follow())
    story.append(1, post(1, 'a'))
    story.append(2, unfollow)
    const [seen] = story.model.posts(story.end)
    const conditions = seen === undefined ? [] : story.belonging.onDashboard(ann.key, seen)
    const { belonging } = story
    expect(belonging.ever(conditions, { from: [0, 0], to: [3, 0] })).toBe(true)
    expect(belonging.always(conditions, { from: [0, 0], to: [3, 0] })).toBe(false)
    expect(belonging.ever(conditions, { from: [3, 0], to: [3, 0] })).toBe(false)
    expect(belonging.always(conditions, { from: [2, 0], to: [2, 0] })).toBe(true)
  })
})
