// A reader's relations: live changes in log order, imported ones as of their snapshot.

import { expect, test } from 'vitest'
import { ID_EPOCH_MS } from '../../../cells/model/post-id.ts'
import {
  BLOCKED,
  BLOCKED_BY,
  type ChangeTime,
  COVERED_FROM,
  forgettableSecond,
  HIDE_REBLOGS,
  MUTED,
  Reader,
} from '../../../cells/model/reader.ts'

const live = (second: number): ChangeTime => ({
  ms: ID_EPOCH_MS + second * 1000,
  imported: false,
})
const asOf = (second: number): ChangeTime => ({ ms: ID_EPOCH_MS + second * 1000, imported: true })
const edge = (coverage: number, at: ChangeTime, hideReblogs = false) => ({
  coverage,
  hideReblogs,
  at,
})

function newReader(): Reader {
  const reader = new Reader({ number: 1, slot: 0 })
  reader.linkSelf(0)
  return reader
}

test('following again keeps the coverage; following anew after an unfollow does not', () => {
  const reader = newReader()
  expect(reader.follow(2, edge(100, live(10)))).toBe(true)
  expect(reader.follow(2, edge(200, live(11)))).toBe(false)
  expect(reader.edges.get(2)).toBe(100)
  expect(reader.unfollow(2, live(12))).toBe(true)
  expect(reader.unfollow(2, live(12))).toBe(false)
  expect(reader.follow(2, edge(200, live(13)))).toBe(true)
  expect(reader.edges.get(2)).toBe(200)
})

test('hiding reblogs changes an edge and not its coverage', () => {
  const reader = newReader()
  reader.follow(2, edge(0x7fff_ffff, live(10)))
  expect(reader.follow(2, edge(0, live(11), true))).toBe(true)
  const word = reader.edges.get(2) ?? 0
  expect([word >= HIDE_REBLOGS, word & COVERED_FROM]).toEqual([true, 0x7fff_ffff])
  expect(reader.follow(2, edge(0, live(12)))).toBe(true)
  expect(reader.edges.get(2)).toBe(0x7fff_ffff)
})

test("one's own posts stay, whatever events say", () => {
  const reader = newReader()
  expect(reader.unfollow(1, live(5))).toBe(false)
  reader.linkSelf(99)
  expect(reader.edges.get(1)).toBe(0)
})

test('a live change wins over every snapshot up to its second, also one that undoes', () => {
  const reader = newReader()
  reader.unfollow(2, live(100))
  expect(reader.follow(2, edge(0, asOf(100)))).toBe(false)
  expect(reader.follow(2, edge(0, asOf(99)))).toBe(false)
  expect(reader.follows(2)).toBe(false)
  expect(reader.follow(2, edge(0, asOf(101)))).toBe(true)
  expect(reader.unfollow(2, live(50))).toBe(true)
})

test('each reason to hide has a change time of its own, and all must end', () => {
  const reader = newReader()
  for (const bit of [MUTED, BLOCKED, BLOCKED_BY] as const) {
    expect(reader.setHidden(2, bit, { on: true, at: live(10) })).toBe(true)
  }
  expect(reader.setHidden(2, MUTED, { on: false, at: asOf(10) })).toBe(false)
  expect(reader.setHidden(2, MUTED, { on: false, at: live(11) })).toBe(true)
  expect(reader.hiddenBits(2)).toBe(BLOCKED | BLOCKED_BY)
  expect(reader.setHidden(2, BLOCKED, { on: false, at: live(11) })).toBe(true)
  expect(reader.setHidden(2, BLOCKED_BY, { on: false, at: live(11) })).toBe(true)
  expect(reader.hiddenBits(2)).toBe(0)
  expect(reader.hidden?.size).toBe(0)
})

test('a read mark is a maximum', () => {
  const reader = newReader()
  expect(reader.markRead(5, 5)).toBe(true)
  expect(reader.markRead(5, 5)).toBe(false)
  expect(reader.markRead(4, 9)).toBe(false)
  expect(reader.markRead(5, 6)).toBe(true)
  expect([reader.readMarkHi, reader.readMarkLo]).toEqual([5, 6])
})

test('changes are forgotten only when every snapshot that is accepted is younger', () => {
  const reader = newReader()
  reader.unfollow(2, live(100))
  reader.unfollow(3, live(200))
  const memoryMs = 50_000
  const nowMs = ID_EPOCH_MS + 200_000
  const second = forgettableSecond(nowMs, memoryMs)
  reader.forgetChanges(second, second)
  expect(reader.changes?.size).toBe(1)
  // The oldest snapshot that is still accepted.
  expect(reader.follow(2, edge(0, asOf(150)))).toBe(true)
  expect(reader.follow(3, edge(0, asOf(200)))).toBe(false)
  reader.forgetChanges(201, 201)
  expect(reader.changes).toBeUndefined()
})
