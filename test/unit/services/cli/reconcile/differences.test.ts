// What differs between a product's data and a cell becomes records, and nothing else does.

import { expect, test } from 'vitest'
import type { Related } from '../../../../../services/client/connect.ts'
import { blockDifferences, differences } from '../../../../../services/cli/reconcile/differences.ts'
import type { StatedUser } from '../../../../../services/cli/reconcile/stated-user.ts'

const related = (userId: string, has: Partial<Related>): Related => ({
  userId,
  follows: false,
  hideReblogs: false,
  blocks: false,
  mutes: false,
  blockedBy: false,
  ...has,
})
const held = (...all: Related[]) => ({ related: all, readMark: undefined })
const stated = (said: Partial<StatedUser>): StatedUser => ({
  user: 'ann',
  follows: undefined,
  blocks: undefined,
  mutes: undefined,
  readUntil: undefined,
  ...said,
})

test('what is the same gives nothing', () => {
  const said = stated({
    follows: new Map([
      ['bob', false],
      ['cid', true],
    ]),
    blocks: new Set(['eve']),
    mutes: new Set(['bob']),
  })
  const has = held(
    related('bob', { follows: true, mutes: true }),
    related('cid', { follows: true, hideReblogs: true }),
    related('eve', { blocks: true }),
  )
  expect(differences(said, has)).toEqual([])
})

test('what is missing is made, what is too much is ended, and a changed follow is changed', () => {
  const said = stated({
    follows: new Map([
      ['bob', true],
      ['new', false],
    ]),
    blocks: new Set(['eve']),
    mutes: new Set(),
  })
  const has = held(
    related('bob', { follows: true }),
    related('old', { follows: true, blocks: true }),
    related('loud', { mutes: true }),
  )
  expect(differences(said, has)).toEqual([
    { follow: { userId: 'ann', authorId: 'bob', hideReblogs: true } },
    { follow: { userId: 'ann', authorId: 'new', hideReblogs: false } },
    { block: { userId: 'ann', targetId: 'eve' } },
    { unfollow: { userId: 'ann', authorId: 'old' } },
    { unblock: { userId: 'ann', targetId: 'old' } },
    { unmute: { userId: 'ann', targetId: 'loud' } },
  ])
})

test('a list that is left out is not looked at', () => {
  const has = held(related('bob', { follows: true, blocks: true, mutes: true }))
  expect(differences(stated({}), has)).toEqual([])
})

test('whom a user blocks they do not follow, whatever is stated, and nobody relates to themselves', () => {
  const said = stated({
    follows: new Map([
      ['eve', false],
      ['ann', false],
    ]),
    blocks: new Set(['eve', 'ann']),
  })
  expect(differences(said, held(related('eve', { follows: true, blocks: true })))).toEqual([
    { unfollow: { userId: 'ann', authorId: 'eve' } },
  ])
})

test('a read mark is only raised', () => {
  const readUntil = new Date('2030-01-01T00:00:00Z')
  const after = String(BigInt(readUntil.getTime() - 946_684_800_000) << 22n)
  const said = stated({ readUntil })
  expect(differences(said, { related: [], readMark: after })).toEqual([])
  expect(differences(said, held())).toEqual([{ readMark: { userId: 'ann', readUntil } }])
})

test('who is blocked hears of it, and of its end by those who state their blocks', () => {
  const has = held(
    related('bob', { blockedBy: true }),
    related('cid', { blockedBy: true }),
    related('silent', { blockedBy: true }),
  )
  const said = { blockers: new Set(['bob', 'dan']), isStated: (user: string) => user !== 'silent' }
  expect(blockDifferences('ann', has, said)).toEqual([
    { block: { userId: 'dan', targetId: 'ann' } },
    { unblock: { userId: 'cid', targetId: 'ann' } },
  ])
})
