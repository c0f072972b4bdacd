// A session never goes back, also about what nobody knows.

import { beforeEach, expect, test } from 'vitest'
import { SessionMemory } from '../../chaos/check/session-memory.ts'
import { kinds, shown, Told } from './told.ts'

let told: Told
let memory: SessionMemory
beforeEach(() => {
  told = new Told()
  memory = new SessionMemory()
  told.relates('follow', ['ann', 'bob'], true)
})

const read = (...walk: Parameters<Told['walk']>) =>
  kinds(memory.check(told.history, told.walk(...walk)))

test('what was seen is seen again, even if its outcome is unknown', () => {
  const post = told.posts('bob', 'unknown')
  expect(read('ann', [shown(post)])).toEqual([])
  expect(read('ann', [])).toEqual(['went-back'])
})

test('what was deleted, or may have been, may go', () => {
  const post = told.posts('bob')
  expect(read('ann', [shown(post)])).toEqual([])
  told.ends(told.history.delete('bob', post), 'unknown')
  expect(read('ann', [])).toEqual([])
})

test('a deleted post that is gone does not come back', () => {
  const post = told.posts('bob')
  expect(read('ann', [shown(post)])).toEqual([])
  told.ends(told.history.delete('bob', post), 'unknown')
  expect(read('ann', [])).toEqual([])
  expect(read('ann', [shown(post)])).toEqual(['came-back'])
})

test("posts go with their author's follow, and come with it", () => {
  const post = told.posts('bob')
  expect(read('ann', [shown(post)])).toEqual([])
  told.relates('follow', ['ann', 'bob'], false)
  expect(read('ann', [])).toEqual([])
  told.relates('follow', ['ann', 'bob'], true)
  expect(read('ann', [shown(post)])).toEqual([])
})

test("the session's own unfollow is a reason too", () => {
  const post = told.posts('bob')
  const floor = { session: 'ann', at: 0, ownAt: told.history.tick() }
  expect(read('ann', [shown(post)], { floor })).toEqual([])
  told.relates('follow', ['ann', 'bob'], false)
  const later = { ...floor, ownAt: told.history.tick() }
  expect(read('ann', [], { floor: later })).toEqual([])
})

test('what is below the last page is not gone', () => {
  const [first, second] = [told.posts('bob'), told.posts('bob')]
  expect(read('ann', [shown(second), shown(first)])).toEqual([])
  expect(read('ann', [shown(second)], { isComplete: false })).toEqual([])
})

test('a read mark never goes back', () => {
  expect(read('ann', [], { readMark: '50' })).toEqual([])
  expect(read('ann', [], { readMark: '49' })).toEqual(['went-back'])
})
