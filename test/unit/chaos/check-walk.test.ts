// The checker of dashboards finds each kind of lie, and nothing where there is only doubt.

import { beforeEach, describe, expect, test } from 'vitest'
import { checkWalk, type ShownPost } from '../../chaos/check/check-walk.ts'
import type { PostFact } from '../../chaos/history/post-fact.ts'
import { kinds, shown, Told } from './told.ts'

let told: Told
beforeEach(() => {
  told = new Told()
  told.relates('follow', ['ann', 'bob'], true)
})

const check = (...walk: Parameters<Told['walk']>) =>
  kinds(checkWalk(told.history, told.walk(...walk)))

describe('what is certain', () => {
  test('a dashboard that shows what belongs is right', () => {
    const [first, second] = [told.posts('bob'), told.posts('ann')]
    expect(check('ann', [shown(second), shown(first)])).toEqual([])
  })

  test('a lost post is missing', () => {
    const [first, , third] = [told.posts('bob'), told.posts('bob'), told.posts('bob')]
    expect(check('ann', [shown(third), shown(first)])).toEqual(['missing'])
  })

  test("a lost post of the viewer's own is missing", () => {
    told.posts('ann')
    expect(check('ann', [])).toEqual(['missing'])
  })

  test('a post on two pages is there twice', () => {
    const post = told.posts('bob')
    expect(check('ann', [shown(post), shown(post)])).toEqual(['twice'])
  })

  test('a page out of order is found', () => {
    const [first, second] = [told.posts('bob'), told.posts('bob')]
    expect(check('ann', [shown(first), shown(second)])).toEqual(['out-of-order'])
  })

  test('a deleted post that is shown is found', () => {
    const post = told.posts('bob')
    told.ends(told.history.delete('bob', post))
    expect(check('ann', [shown(post)])).toEqual(['must-not-be-shown'])
  })

  test('a refused post that is shown is found', () => {
    expect(check('ann', [shown(told.posts('bob', 'refused'))])).toEqual(['must-not-be-shown'])
  })

  test('a post that nobody wrote is found', () => {
    const posts = [{ author: 'bob', postId: '7', text: 'boo' }]
    expect(check('ann', posts)).toEqual(['never-written'])
  })

  test('posts of somebody not followed any more are found', () => {
    const post = told.posts('bob')
    told.relates('follow', ['ann', 'bob'], false)
    expect(check('ann', [shown(post)])).toEqual(['must-not-be-shown'])
  })

  test.each([
    ['mute', ['ann', 'bob']],
    ['block', ['ann', 'bob']],
    ['block', ['bob', 'ann']],
  ] as const)('posts behind a %s by %s are found', (kind, pair) => {
    const post = told.posts('bob')
    told.relates(kind, pair, true)
    expect(check('ann', [shown(post)])).toEqual(['must-not-be-shown'])
  })

  test('a block ends the follow, also when it is lifted', () => {
    const post = told.posts('bob')
    told.relates('block', ['bob', 'ann'], true)
    told.relates('block', ['bob', 'ann'], false)
    expect(check('ann', [shown(post)])).toEqual(['must-not-be-shown'])
  })

  test('a text from before the last edit is found', () => {
    const post = told.posts('bob')
    told.ends(told.history.edit('bob', post, 'better'))
    expect(check('ann', [shown(post, 'better')])).toEqual([])
    expect(check('ann', [shown(post)])).toEqual(['wrong-text'])
  })

  test('a read mark below an acknowledged one, or never set, is found', () => {
    told.ends(told.history.markRead('ann', 'ann', '50'))
    expect(check('ann', [], { readMark: '50' })).toEqual([])
    expect(check('ann', [], { readMark: '49' })).toEqual(['wrong-read-mark'])
    expect(check('ann', [], { readMark: '51' })).toEqual(['wrong-read-mark'])
    expect(check('ann', [])).toEqual(['wrong-read-mark'])
  })
})

describe('the origin of a reblog', () => {
  const reblog = (origin: PostFact) => {
    const post = { author: 'bob', postId: '1000', text: 'look', origin }
    told.ends(told.history.publish('bob', post))
    return (seen: ShownPost['origin']) => check('ann', [{ ...post, origin: seen }])
  }

  test('is shown as it is, whether its author is followed or not', () => {
    const origin = told.posts('eve')
    const seenWith = reblog(origin)
    expect(seenWith(shown(origin))).toEqual([])
    expect(seenWith('unavailable')).toEqual(['missing'])
    expect(seenWith(undefined)).toEqual(['wrong-origin'])
    expect(seenWith(shown(told.posts('eve')))).toEqual(['wrong-origin'])
    expect(seenWith(shown(origin, 'other words'))).toEqual(['wrong-text'])
  })

  test('that is deleted is unavailable', () => {
    const origin = told.posts('eve')
    const seenWith = reblog(origin)
    told.ends(told.history.delete('eve', origin))
    expect(seenWith('unavailable')).toEqual([])
    expect(seenWith(shown(origin))).toEqual(['must-not-be-shown'])
  })

  test('is unavailable to whom it is hidden from', () => {
    const origin = told.posts('eve')
    const seenWith = reblog(origin)
    told.relates('mute', ['ann', 'eve'], true)
    expect(seenWith('unavailable')).toEqual([])
    expect(seenWith(shown(origin))).toEqual(['must-not-be-shown'])
  })

  test('of an unknown delete may be either', () => {
    const origin = told.posts('eve')
    const seenWith = reblog(origin)
    told.ends(told.history.delete('eve', origin), 'unknown')
    expect(seenWith('unavailable')).toEqual([])
    expect(seenWith(shown(origin))).toEqual([])
  })
})

describe('what is in doubt', () => {
  test('a post with unknown outcome may be there or not', () => {
    const post = told.posts('bob', 'unknown')
    expect(check('ann', [shown(post)])).toEqual([])
    expect(check('ann', [])).toEqual([])
  })

  test('a delete with unknown outcome leaves both', () => {
    const post = told.posts('bob')
    told.ends(told.history.delete('bob', post), 'unknown')
    expect(check('ann', [shown(post)])).toEqual([])
    expect(check('ann', [])).toEqual([])
  })

  test('an unfollow with unknown outcome leaves both, until a follow is acknowledged', () => {
    const post = told.posts('bob')
    told.relates('follow', ['ann', 'bob'], false, 'unknown')
    expect(check('ann', [shown(post)])).toEqual([])
    expect(check('ann', [])).toEqual([])
    told.relates('follow', ['ann', 'bob'], true)
    expect(check('ann', [])).toEqual(['missing'])
  })

  test('an edit that is acknowledged proves an unknown publish', () => {
    const post = told.posts('bob', 'unknown')
    told.ends(told.history.edit('bob', post, 'better'))
    expect(check('ann', [])).toEqual(['missing'])
  })

  test('an unknown delete is not undone by an edit', () => {
    const post = told.posts('bob')
    told.ends(told.history.delete('bob', post), 'unknown')
    told.ends(told.history.edit('bob', post, 'better'))
    expect(check('ann', [])).toEqual([])
  })

  test('what is written while it is read may be there or not', () => {
    const { history } = told
    const now = history.tick()
    const floor = { session: 'reader', at: now, ownAt: now }
    const post = told.posts('bob')
    expect(check('ann', [shown(post)], { floor })).toEqual([])
    expect(check('ann', [], { floor })).toEqual([])
  })

  test('what is written after the read must not be there', () => {
    const until = told.history.tick()
    const post = told.posts('bob')
    expect(check('ann', [shown(post)], { until })).toEqual(['must-not-be-shown'])
  })

  test('a session sees what it wrote, and need not see what others wrote', () => {
    const own = told.posts('ann', 'acknowledged', 'here')
    const other = told.posts('ann', 'acknowledged', 'elsewhere')
    const floor = { session: 'here', at: 0, ownAt: told.history.tick() }
    expect(check('ann', [shown(own)], { floor })).toEqual([])
    expect(check('ann', [shown(other)], { floor })).toEqual(['missing'])
  })

  test('below the last page nothing is missing', () => {
    const [first, second] = [told.posts('bob'), told.posts('bob')]
    expect(check('ann', [shown(second)], { isComplete: false })).toEqual([])
    expect(check('ann', [shown(first)], { isComplete: false })).toEqual(['missing'])
  })
})
