// The checker of the firehose finds what is missing, out of order, or should not be there; and what the log says decides.

import { beforeEach, describe, expect, test } from 'vitest'
import type { FirehoseEvent } from '../../../services/client/connect.ts'
import { checkFollower, checkLog } from '../../chaos/check/check-log.ts'
import { checkWalk } from '../../chaos/check/check-walk.ts'
import { LogPicture } from '../../chaos/check/log-picture.ts'
import { resolveByLog } from '../../chaos/check/resolve.ts'
import type { PostFact } from '../../chaos/history/post-fact.ts'
import { kinds, shown, Told } from './told.ts'

let told: Told
let log: LogPicture
let offset: number
beforeEach(() => {
  told = new Told()
  log = new LogPicture()
  offset = 0
})

const place = () => {
  offset += 1
  const appendedAt = new Date(0)
  return { eventId: String(offset), partition: 0, offset: BigInt(offset), appendedAt, key: 'k' }
}
const created = ({ author, postId, text }: PostFact): FirehoseEvent => ({
  ...place(),
  kind: 'postCreated',
  imported: false,
  post: {
    authorId: author,
    postId,
    text,
    tags: [],
    payload: new Uint8Array(),
    externalId: '',
    createdAt: new Date(0),
    editedAt: undefined,
    audience: 'public',
    reblogOf: undefined,
  },
})
const edited = ({ author, postId }: PostFact, text: string): FirehoseEvent => ({
  ...place(),
  kind: 'postEdited',
  post: { authorId: author, postId },
  content: { text, tags: [], payload: new Uint8Array() },
  editedAt: undefined,
})
const deleted = ({ author, postId }: PostFact): FirehoseEvent => ({
  ...place(),
  kind: 'postDeleted',
  post: { authorId: author, postId },
})
const follow = (on: boolean): FirehoseEvent => {
  const pair = { userId: 'ann', authorId: 'bob', asOf: undefined }
  return on
    ? { ...place(), ...pair, kind: 'followed', hideReblogs: false }
    : { ...place(), ...pair, kind: 'unfollowed' }
}
const check = (...events: readonly FirehoseEvent[]) => {
  for (const event of events) log.take(event)
  return kinds(checkLog(told.history, log))
}

describe('posts', () => {
  test('all that was acknowledged is there', () => {
    const post = told.posts('bob')
    told.ends(told.history.edit('bob', post, 'better'))
    told.ends(told.history.delete('bob', post))
    expect(check(created(post), edited(post, 'better'), deleted(post))).toEqual([])
  })

  test('an acknowledged create, edit or delete that is not there is found', () => {
    const post = told.posts('bob')
    expect(check()).toEqual(['not-in-log'])
    told.ends(told.history.edit('bob', post, 'better'))
    expect(check(created(post))).toEqual(['not-in-log'])
    told.ends(told.history.delete('bob', post))
    expect(check(edited(post, 'better'))).toEqual(['not-in-log'])
  })

  test('what was refused and is there is found', () => {
    const post = told.posts('bob', 'refused')
    expect(check(created(post))).toEqual(['refused-but-in-log'])
  })

  test('edits that changed places are found', () => {
    const post = told.posts('bob')
    told.ends(told.history.edit('bob', post, 'one'))
    told.ends(told.history.edit('bob', post, 'two'))
    const found = check(created(post), edited(post, 'two'), edited(post, 'one'))
    expect(new Set(found)).toEqual(new Set(['log-out-of-order']))
  })
})

describe('follows', () => {
  test('an acknowledged change that is not there is found', () => {
    told.relates('follow', ['ann', 'bob'], true)
    expect(check()).toContain('not-in-log')
  })

  test('an unknown change may be there, once for each attempt', () => {
    told.relates('follow', ['ann', 'bob'], true, 'unknown')
    expect(check(follow(true))).toEqual([])
    expect(check(follow(true))).toEqual(['refused-but-in-log'])
  })

  test('an unknown change that lands behind a later acknowledged one is found', () => {
    told.relates('follow', ['ann', 'bob'], true, 'unknown')
    told.relates('follow', ['ann', 'bob'], false)
    expect(check(follow(false), follow(true))).toEqual(['log-out-of-order'])
  })

  test('one side of a block is missing: found', () => {
    told.relates('block', ['bob', 'ann'], true)
    expect(check()).toEqual(['not-in-log', 'not-in-log'])
  })
})

describe('what the log decides', () => {
  test('an unknown post is there for everyone, or for nobody', () => {
    told.relates('follow', ['ann', 'bob'], true)
    const [there, not] = [told.posts('bob', 'unknown'), told.posts('bob', 'unknown')]
    expect(check(follow(true), created(there))).toEqual([])
    expect(resolveByLog(told.history, log)).toBe(2)
    const walked = (...posts: PostFact[]) =>
      kinds(
        checkWalk(
          told.history,
          told.walk(
            'ann',
            posts.map((post) => shown(post)),
          ),
        ),
      )
    expect(walked(there)).toEqual([])
    expect(walked()).toEqual(['missing'])
    expect(walked(not, there)).toEqual(['must-not-be-shown'])
  })

  test('an unknown unfollow holds if it is in the log', () => {
    const post = told.posts('bob')
    told.relates('follow', ['ann', 'bob'], true)
    told.relates('follow', ['ann', 'bob'], false, 'unknown')
    expect(check(created(post), follow(true), follow(false))).toEqual([])
    resolveByLog(told.history, log)
    expect(kinds(checkWalk(told.history, told.walk('ann', [shown(post)])))).toEqual([
      'must-not-be-shown',
    ])
    expect(kinds(checkLog(told.history, log))).toEqual([])
  })
})

describe('a subscriber that followed', () => {
  test('was sent what a replay has', () => {
    const events = [created(told.posts('bob')), created(told.posts('bob'))]
    const replayed = new LogPicture()
    for (const event of events) replayed.take(event)
    const [first, second] = events
    if (first !== undefined) log.take(first)
    expect(kinds(checkFollower(log, replayed))).toEqual(['not-in-log'])
    if (second !== undefined) log.take(second)
    expect(kinds(checkFollower(log, replayed))).toEqual([])
  })

  test('may be sent an event twice, but not in another order', () => {
    const [first, second] = [created(told.posts('bob')), created(told.posts('bob'))]
    for (const event of [first, second, first]) log.take(event)
    expect(kinds(checkFollower(log, new LogPicture()))).toEqual([])
    const disordered = new LogPicture()
    for (const event of [second, first]) disordered.take(event)
    expect(kinds(checkFollower(disordered, new LogPicture()))).toEqual(['log-out-of-order'])
  })
})
