// What a cell knows of authors: coverage only ever starts later than it must, and what is stored comes back.

import { expect, test } from 'vitest'
import { AUTHORS_PER_BLOCK, AuthorIndex, UNCOVERED } from '../../../cells/model/author-index.ts'
import { firstIdAt, hiOf, ID_EPOCH_MS, loOf, type PostId } from '../../../cells/model/post-id.ts'

const idAtSecond = (second: number, ms = 0): PostId => firstIdAt(ID_EPOCH_MS + second * 1000 + ms)
const note = (authors: AuthorIndex, author: number, id: PostId): void =>
  authors.noteId(author, hiOf(id), loOf(id))

test('an edge linked to an author without posts covers everything', () => {
  expect(new AuthorIndex().coverageAtLink(1)).toBe(0)
})

test('an edge covers from the second above the greatest id applied, in whatever order', () => {
  const authors = new AuthorIndex()
  note(authors, 1, idAtSecond(100, 999))
  note(authors, 1, idAtSecond(50))
  expect(authors.coverageAtLink(1)).toBe(101)
  expect(authors.coverageAtLink(2)).toBe(0)
})

test('an id is new for sure only above the greatest', () => {
  const authors = new AuthorIndex()
  const id = idAtSecond(100)
  note(authors, 1, id)
  expect(authors.isAboveGreatest(1, hiOf(id), loOf(id))).toBe(false)
  expect(authors.isAboveGreatest(1, hiOf(id), loOf(id) + 1)).toBe(true)
  expect(authors.isAboveGreatest(1, hiOf(id) - 1, 0xffff_ffff)).toBe(false)
})

test('a raise is a maximum', () => {
  const authors = new AuthorIndex()
  authors.raise(1, 70)
  authors.raise(1, 60)
  expect(authors.raisedOf(1)).toBe(70)
})

test('a pulled author covers nothing, and keeps what was raised before and meanwhile', () => {
  const authors = new AuthorIndex()
  authors.raise(1, 60)
  authors.pull(1)
  expect([authors.raisedOf(1), authors.raisedToStore(1)]).toEqual([UNCOVERED, 60])
  authors.raise(1, 80)
  authors.pull(1)
  expect([...authors.pulled]).toEqual([1])
  authors.unpull(1, 75)
  expect([authors.isPulled(1), authors.raisedOf(1), authors.raisedToStore(1)]).toEqual([
    false,
    80,
    80,
  ])
  expect([...authors.pulled]).toEqual([])
})

test('generations leave out who is pulled or deleted, each for itself', () => {
  const authors = new AuthorIndex()
  authors.setLeftOut(1, true)
  authors.setDeleted(1)
  authors.setLeftOut(1, false)
  expect([authors.isDeleted(1), authors.leftOut[1] === 0]).toEqual([true, false])
  authors.setLeftOut(2, true)
  authors.setLeftOut(2, false)
  expect([authors.isDeleted(2), authors.leftOut[2] === 0]).toEqual([false, true])
})

test('room made later keeps what there was', () => {
  const authors = new AuthorIndex()
  note(authors, 3, idAtSecond(9))
  authors.setDeleted(3)
  authors.reserve(1_000_000)
  expect(authors.coverageAtLink(3)).toBe(10)
  expect(authors.isDeleted(3)).toBe(true)
  expect(authors.isDeleted(999_999)).toBe(false)
})

test('greatest ids come back from the blocks that a checkpoint took, each once', () => {
  const authors = new AuthorIndex()
  authors.reserve(3 * AUTHORS_PER_BLOCK)
  note(authors, 5, idAtSecond(100))
  note(authors, 2 * AUTHORS_PER_BLOCK + 1, idAtSecond(200))
  const blocks = authors.takeDirtyBlocks()
  expect(blocks.map(({ block }) => block)).toEqual([0, 2])
  expect(authors.takeDirtyBlocks()).toEqual([])
  authors.markDirty([2])
  expect(authors.takeDirtyBlocks().map(({ block }) => block)).toEqual([2])
  const restored = new AuthorIndex()
  for (const { block, bytes } of blocks) restored.loadBlock(block, bytes)
  expect(restored.coverageAtLink(5)).toBe(101)
  expect(restored.coverageAtLink(2 * AUTHORS_PER_BLOCK + 1)).toBe(201)
  expect(restored.coverageAtLink(6)).toBe(0)
})

test('of an author delivered again only what posts raised keeps them out of the window', () => {
  const authors = new AuthorIndex()
  authors.raise(1, 40)
  authors.pull(1)
  authors.raise(1, 50)
  authors.unpull(1, 100)
  expect([authors.raisedOf(1), authors.raisedByPosts(1)]).toEqual([100, 50])
  authors.raise(1, 60)
  expect([authors.raisedOf(1), authors.raisedByPosts(1)]).toEqual([100, 60])
  authors.pull(1)
  expect(authors.raisedByPosts(1)).toBe(60)
  authors.unpull(1, 120)
  expect(authors.raisedByPosts(1)).toBe(60)
  authors.forgetRaisesBefore(119)
  expect(authors.raisedByPosts(1)).toBe(60)
  authors.forgetRaisesBefore(120)
  expect(authors.raisedByPosts(1)).toBe(120)
})
