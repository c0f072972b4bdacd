// What a verification asks of cells that may be far away.

import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { differenceOf } from '../../../cells/activities/verification.ts'
import { firstPlacement, type Move, slotsIn } from '../../../cells/model/placement.ts'
import { planMove } from '../../../cells/model/move.ts'
import { firstIdAt, type PostId } from '../../../cells/model/post-id.ts'
import { userKey } from '../../../cells/model/user-key.ts'
import type {
  CellClient,
  CellStatus,
  Page,
  Place,
  PostView,
  RelationsPage,
  SlotsReport,
} from '../../../cells/ports/cell-client.ts'
import { systemClock } from '../../../infra/system/clock.ts'

const SLOTS = [{ first: 0, last: 499 }]

function move(): Move {
  const placement = planMove(firstPlacement(['a', 'b'], 1_000), { slots: SLOTS, to: 'b' }, 0)
  const [planned] = 'refused' in placement ? [] : placement.moves
  if (planned === undefined) throw new Error('not planned')
  return planned
}

const statusOf = (windowStartsAtMs: number | undefined) => async () =>
  ({ windowStartsAtMs }) as Partial<CellStatus> as CellStatus

/** Of slots that nobody lives in; answers after the next turn of the event loop. */
function emptyCell(cell: string, asked: (slot: number) => () => void): CellClient {
  const known: Partial<CellClient> = {
    cell,
    status: statusOf(undefined),
    slots: async () => ({ logEnd: [] }) as Partial<SlotsReport> as SlotsReport,
    readersOf: async (slot) => {
      const answered = asked(slot)
      await setImmediate()
      answered()
      return { readers: [], ids: [], next: undefined }
    },
  }
  return known as CellClient
}

test('slots are not asked for their readers one after another, nor all at once', async () => {
  const slots = new Set<number>()
  let underWay = 0
  let most = 0
  const asked = (slot: number) => {
    slots.add(slot)
    underWay += 1
    most = Math.max(most, underWay)
    return () => void (underWay -= 1)
  }
  const cells = { source: emptyCell('a', asked), target: emptyCell('b', asked) }
  const { signal } = new AbortController()
  expect(await differenceOf(move(), { ...cells, clock: systemClock }, signal)).toBeUndefined()
  expect([...slots]).toEqual(slotsIn(SLOTS))
  expect(most).toBeGreaterThanOrEqual(16)
  expect(most).toBeLessThan(SLOTS[0]?.last ?? 0)
})

const ann = userKey('ann')
const bob = userKey('bob')
const cid = userKey('cid')

/** A cell with two readers in its first slot, who follow Ann. Posts as of how often it was asked. */
function cellOf(
  cell: string,
  {
    posts,
    pulled = posts,
    follows = true,
    names = ['bob', 'cid'],
    windowStartsAtMs,
    below = () => 0,
  }: {
    posts: (asked: number) => number
    pulled?: (asked: number) => number
    follows?: boolean
    names?: readonly string[]
    windowStartsAtMs?: number
    /** Posts below a place. */
    below?: (place: Place) => number
  },
): CellClient {
  let asked = 0
  const answer = <T>(value: T) => ({ kind: 'ok', value, position: [asked] }) as const
  const known: Partial<CellClient> = {
    cell,
    status: statusOf(windowStartsAtMs),
    slots: async () => ({ logEnd: [0] }) as Partial<SlotsReport> as SlotsReport,
    readersOf: async (slot, { withIds }) => {
      const ids = withIds === true ? names : []
      const readers = slot === 0 ? [bob, cid] : []
      return { readers, ids: slot === 0 ? ids : [], next: undefined }
    },
    relations: async () => {
      const bits = { hideReblogs: false, blocks: false, mutes: false, blockedBy: false }
      const related = [{ user: ann, id: '', follows, ...bits }]
      return answer({ related, readMark: undefined, next: undefined } satisfies RelationsPage)
    },
    dashboard: async (_call, query) => {
      asked++
      const newest = query.pulled === true ? pulled : posts
      const count = query.from === undefined ? newest(asked) : below(query.from.place)
      const shown = Array.from({ length: count }, (_, i) => ({
        author: ann,
        postId: BigInt(i + 1) as PostId,
      }))
      const page: Partial<Page> = { posts: shown as Partial<PostView>[] as PostView[] }
      return answer({ ...page, older: undefined } as Page)
    },
  }
  return known as CellClient
}

function difference(source: CellClient | undefined, target: CellClient) {
  const { signal } = new AbortController()
  return differenceOf(move(), { source, target, clock: systemClock }, signal)
}

test('what a target shows otherwise is told, and of whom', async () => {
  const both = (what: string) => `${what} of the user bob, ${what} of the user cid`
  const source = () => cellOf('a', { posts: () => 3 })
  const missing = cellOf('b', { posts: () => 2 })
  expect(await difference(source(), missing)).toBe(both('dashboard'))
  const unfollowed = cellOf('b', { posts: () => 3, follows: false })
  expect(await difference(source(), unfollowed)).toBe(both('relations'))
  // Source and target agree, and both are wrong by the target's own posts.
  const wrong = { posts: () => 3, pulled: () => 4 }
  expect(await difference(cellOf('a', wrong), cellOf('b', wrong))).toBe(both('posts'))
  expect(await difference(undefined, cellOf('b', wrong))).toBe(both('posts'))
})

test('a user whose id a cell does not know is told by the other one, or by the hash', async () => {
  const hash = Buffer.from(cid, 'latin1').toString('hex')
  const source = cellOf('a', { posts: () => 3, names: ['', ''] })
  const target = cellOf('b', { posts: () => 2, names: ['bob', ''] })
  expect(await difference(source, target)).toBe(
    `dashboard of the user bob, dashboard of the user ${hash}`,
  )
})

test('what is the same when both have got on is no difference', async () => {
  const behind = cellOf('b', { posts: (asked) => Math.min(3, asked), pulled: () => 3 })
  expect(await difference(cellOf('a', { posts: () => 3 }), behind)).toBeUndefined()
  expect(
    await difference(cellOf('a', { posts: () => 3 }), cellOf('b', { posts: () => 3 })),
  ).toBeUndefined()
})

test('what differs only below both windows is found', async () => {
  const posts = () => 3
  const [older, newer] = [1_800_000_000_000, 1_800_000_100_000]
  const asked = new Set<PostId>()
  const inInbox = (count: number) => (place: Place) => {
    asked.add(place.postId)
    return count
  }
  const source = cellOf('a', { posts, windowStartsAtMs: newer, below: inInbox(5) })
  const target = (count: number) =>
    cellOf('b', { posts, windowStartsAtMs: older, below: inInbox(count) })
  expect(await difference(source, target(5))).toBeUndefined()
  expect(await difference(source, target(4))).toContain('dashboard of the user bob')
  expect([...asked]).toEqual([firstIdAt(older)])
})
