// A cell whose next records are gone from the log: it names the way out, is brought back from another cell's posts, and serves when
// somebody has said what nobody saw.

import { expect, test } from 'vitest'
import { Cell } from '../../../cells/activities/cell.ts'
import { CopyDiffers } from '../../../cells/activities/donor-copy.ts'
import { NothingToRebuild, Rebuild } from '../../../cells/activities/rebuild.ts'
import { DonorUnusable } from '../../../cells/activities/rebuild-plan.ts'
import { FIRST_TERM, firstPlacement } from '../../../cells/model/placement.ts'
import { userRef } from '../../../cells/model/user-key.ts'
import { FirehoseGap } from '../../../cells/ports/firehose.ts'
import type { PostRow } from '../../../cells/ports/post-table.ts'
import { MemoryBodyCache } from '../../../infra/memory/body-cache.ts'
import { MemoryCellStore } from '../../../infra/memory/cell-store.ts'
import { MemoryFirehose } from '../../../infra/memory/firehose.ts'
import { MemoryPlacements } from '../../../infra/memory/placements.ts'
import { gate, HOUR, ok, SECOND, Stage, StandingClock, until } from './stage.ts'

const placement = firstPlacement(['a'], 4)

/** Another cell on the stage's log: homes nobody, and has all posts. */
async function donorOn({ firehose, clock, limits }: Stage) {
  const store = new MemoryCellStore()
  const cache = new MemoryBodyCache({ bytesMax: 1 << 20 })
  const options = { name: 'b', boot: 1_000, placement, limits }
  const cell = new Cell(
    {
      firehose,
      store,
      cache,
      clock,
      monotonicMs: () => 0,
      moving: new MemoryPlacements(placement),
    },
    options,
  )
  await cell.start()
  const checkpoint = async () => {
    const { end } = firehose.currentBounds()
    await until(async () => (await cell.status()).position.every((at, p) => at >= (end[p] ?? 0)))
    await cell.checkpoint()
  }
  return { store, checkpoint }
}

/** A rebuild; time goes on while it waits. */
async function rebuild(stage: Stage, donor: MemoryCellStore, of = placement, boot = 500) {
  const { firehose, store, clock, limits } = stage
  const { signal } = new AbortController()
  const options = { name: 'a', boot, placement: of, limits, signal }
  let isDone = false
  const run = async () => {
    try {
      return await new Rebuild({ firehose, store, donor, clock }, options).run()
    } finally {
      isDone = true
    }
  }
  const report = run()
  // Looked at below.
  report.catch(() => undefined)
  await until(() => {
    clock.advance(SECOND)
    return isDone
  })
  return report
}

function withOtherContent(row: PostRow): PostRow {
  return row.body === undefined ? row : { ...row, body: { ...row.body, content: Buffer.from('?') } }
}

/** The cell is down; what it would read next is forgotten by the log. */
async function lostRecords() {
  const stage = await Stage.open()
  const donor = await donorOn(stage)
  await stage.follow('bob', 'ann')
  await stage.follow('bob', 'cid')
  const seen = await stage.publish('ann', 'seen')
  const doomed = await stage.publish('ann', 'doomed')
  await stage.checkpoint()
  stage.crash()
  await stage.publish('cid', 'missed')
  await stage.publish('bob', 'own')
  await stage.edit(seen, 'edited')
  await stage.remove(doomed)
  await stage.follow('bob', 'dan')
  await stage.hide('muted', 'bob', 'eve')
  await donor.checkpoint()
  stage.clock.advance(HOUR)
  await stage.firehose.dropBefore(stage.clock.nowMs())
  await stage.publish('ann', 'later')
  return { stage, donor }
}

test('a cell whose next records are gone refuses and names the way out', async () => {
  const { stage } = await lostRecords()
  await expect(stage.restart()).rejects.toThrow(/begins at .*cellfeed cell --rebuild/)
})

test('a cell that can not tell a repeat refuses, and is brought back', async () => {
  const stage = await Stage.open()
  const donor = await donorOn(stage)
  const edge = { user: userRef('bob'), author: userRef('ann'), asOfMs: undefined }
  const undo = { id: stage.eventId(), fact: { kind: 'unfollowed' as const, ...edge } }
  await stage.firehose.append([undo])
  stage.clock.advance(SECOND)
  await stage.follow('bob', 'ann')
  await stage.checkpoint()
  stage.crash()
  const lastMs = stage.clock.nowMs()
  stage.clock.advance(50 * SECOND)
  await stage.firehose.append([undo])
  await stage.publish('ann', '1')
  await donor.checkpoint()
  await stage.firehose.dropBefore(lastMs)
  await expect(stage.restart()).rejects.toThrow(/can not be told.*cellfeed cell --rebuild/)
  stage.crash()
  const report = await rebuild(stage, donor.store)
  expect(report.gap).toMatchObject([{ fromOffset: 2, toOffset: 4 }])
  stage.crash()
  const cell = stage.create(501)
  await cell.start()
  expect((await cell.status()).openGap).toEqual(report.gap)
})

test('a rebuilt cell has the posts of the gap, and serves when the gap is closed', async () => {
  const { stage, donor } = await lostRecords()
  const report = await rebuild(stage, donor.store)
  expect(report).toMatchObject({ marks: 1, readersAdded: 1, deletedUsers: 0 })
  // The donor may have stored the later post by then: it comes with the log in any case.
  expect([3, 4]).toContain(report.posts)
  for (const { fromOffset, toOffset } of report.gap) expect(fromOffset).toBeLessThan(toOffset)
  expect(report.gap.length).toBeGreaterThan(0)
  stage.crash()
  const cell = stage.create(501)
  await cell.start()
  const status = await cell.status()
  expect(status).toMatchObject({ ready: false })
  expect(status.openGap).toEqual(report.gap)
  const late = await cell.dashboard(stage.call('bob', AbortSignal.abort()), {
    limit: 5,
    from: undefined,
    countUnreadTo: undefined,
  })
  expect(late.kind).toBe('late')

  const { related } = ok(await cell.relations(stage.call('bob'), { after: undefined, limit: 9 }))
  expect(
    related
      .filter(({ follows }) => follows)
      .map(({ id }) => id)
      .sort(),
  ).toEqual(['ann', 'cid'])
  expect(related.some(({ mutes }) => mutes)).toBe(false)

  await stage.follow('bob', 'dan', { asOfMs: stage.clock.nowMs() })
  expect(ok(await cell.closeGap(stage.call('bob')))).toEqual({ closed: true })
  expect(await stage.dashboard('bob')).toEqual(['ann:later', 'bob:own', 'cid:missed', 'ann:edited'])
  expect(ok(await cell.closeGap(stage.call('bob')))).toEqual({ closed: false })
  expect((await cell.status()).openGap).toEqual([])
})

test('a snapshot from inside the gap is refused, as nobody knows what changed after it', async () => {
  const { stage, donor } = await lostRecords()
  const { gap } = await rebuild(stage, donor.store)
  const cell = stage.create(501)
  await cell.start()
  const asOfMs = Math.min(...gap.map(({ fromMs }) => fromMs))
  for (const author of ['x1', 'x2', 'x3', 'x4']) await stage.follow('bob', author, { asOfMs })
  await stage.applied()
  const { related } = ok(await cell.relations(stage.call('bob'), { after: undefined, limit: 9 }))
  const taken = related.filter(({ id }) => id.startsWith('x'))
  expect(taken.length).toBeLessThan(4)
})

test('a user who was deleted in the gap is deleted, with posts and name', async () => {
  const stage = await Stage.open()
  const donor = await donorOn(stage)
  await stage.follow('bob', 'ann')
  await stage.publish('ann', 'gone')
  await stage.checkpoint()
  stage.crash()
  await stage.deleteUser('ann')
  await donor.checkpoint()
  stage.clock.advance(HOUR)
  await stage.firehose.dropBefore(stage.clock.nowMs())
  expect(await rebuild(stage, donor.store)).toMatchObject({ deletedUsers: 1 })
  const cell = stage.create(501)
  await cell.start()
  await cell.closeGap(stage.call('bob'))
  expect(await stage.dashboard('bob')).toEqual([])
  for await (const { rows } of stage.store.posts.allPosts()) {
    for (const { body } of rows) expect(body).toBeUndefined()
  }
  const names: (string | undefined)[] = []
  for await (const rows of stage.store.names.all()) {
    const found = await stage.store.names.get(rows.map(({ number }) => number))
    names.push(...found.map((row) => row?.id))
  }
  expect(names).not.toContain('ann')
})

test('who published first in the gap has a dashboard', async () => {
  const { stage, donor } = await lostRecords()
  stage.crash()
  const fresh = new Stage()
  Object.assign(fresh, { firehose: stage.firehose, clock: stage.clock })
  const report = await rebuild(fresh, donor.store)
  expect(report.readersAdded).toBe(3)
  const cell = fresh.create(501)
  await cell.start()
  await cell.closeGap(fresh.call('cid'))
  expect(await fresh.dashboard('cid')).toEqual(['cid:missed'])
})

test('a donor behind the start of the log, or of another log, is refused', async () => {
  const { stage } = await lostRecords()
  await expect(rebuild(stage, new MemoryCellStore())).rejects.toThrow(DonorUnusable)
  const idle = await donorOn(new Stage())
  await idle.checkpoint()
  await expect(rebuild(stage, idle.store)).rejects.toThrow(DonorUnusable)
})

test.for([
  { what: 'loses a row', change: (rows: readonly PostRow[]) => rows.slice(1) },
  { what: 'changes a byte', change: (rows: readonly PostRow[]) => rows.map(withOtherContent) },
])(
  'a store that $what of what was copied is found out before the cell counts on it',
  async ({ change }) => {
    const { stage, donor } = await lostRecords()
    const { posts } = stage.store
    const put = posts.put.bind(posts)
    posts.put = (rows) => put(change(rows))
    await expect(rebuild(stage, donor.store)).rejects.toThrow(CopyDiffers)
    await expect(stage.restart()).rejects.toThrow(FirehoseGap)
  },
)

test('a cell that lacks nothing is not rebuilt', async () => {
  const stage = await Stage.open()
  const donor = await donorOn(stage)
  await stage.publish('ann', '1')
  await stage.checkpoint()
  await donor.checkpoint()
  stage.crash()
  await expect(rebuild(stage, donor.store)).rejects.toThrow(NothingToRebuild)
})

/** A cell that two of its slots had come to by a move, and its store is gone; Bob and Carol, each in one of both kinds, follow Ann. */
async function lostStore() {
  const ranges = [
    { first: 0, last: 1, cell: 'a', term: FIRST_TERM },
    { first: 2, last: 3, cell: 'a', term: 7 },
  ]
  const moved = { ...placement, ranges }
  const [clock, limits] = [new StandingClock(), { repeatWindowMs: HOUR }]
  const firehose = new MemoryFirehose({ clock, logId: 'log', partitionsPerTopic: 2 })
  const near = { name: 'a', clock, firehose, moving: new MemoryPlacements(moved), placement: moved }
  const stage = new Stage(limits, near)
  const donor = await donorOn(stage)
  for (const user of ['bob', 'carol', 'dan', 'eve']) await stage.follow(user, 'ann')
  await stage.publish('ann', '1')
  await donor.checkpoint()
  await expect(stage.create(1).start()).rejects.toThrow('slots 2-3 to a (2 of its 4)')
  return { stage, donor, moved }
}

test('a store that is lost comes back from the log, with slots that had moved there', async () => {
  const { stage, donor, moved } = await lostStore()
  expect(await rebuild(stage, donor.store, moved)).toMatchObject({ posts: 0, gap: [] })
  await stage.create(501).start()
  for (const user of ['bob', 'carol', 'dan', 'eve']) {
    expect(await stage.dashboard(user)).toEqual(['ann:1'])
  }
  await stage.checkpoint()
  stage.crash()
  await expect(rebuild(stage, donor.store, moved, 600)).rejects.toThrow(NothingToRebuild)
})

test('and from another cell’s posts, and a list of what nobody saw, where the log begins later', async () => {
  const { stage, donor, moved } = await lostStore()
  stage.clock.advance(SECOND)
  await stage.firehose.dropBefore(stage.clock.nowMs())
  const { gap, posts } = await rebuild(stage, donor.store, moved)
  expect(posts).toBe(1)
  expect(gap.length).toBeGreaterThan(0)
  const cell = stage.create(501)
  await cell.start()
  expect(cell.hasOpenGap).toBe(true)
  await cell.closeGap(stage.call('bob'))
  await stage.follow('bob', 'ann')
  expect(await stage.dashboard('bob')).toEqual(['ann:1'])
})

test('a log that was made anew is not rebuilt from: the store belongs to the old one', async () => {
  const { stage, donor } = await lostRecords()
  const other = new Stage()
  await other.publish('ann', '1')
  Object.assign(other, { store: stage.store })
  await expect(rebuild(other, donor.store)).rejects.toThrow(FirehoseGap)
})

test('the posts of a user are pulled, whatever the inboxes hold', async () => {
  const { stage, donor } = await lostRecords()
  await rebuild(stage, donor.store)
  const cell = stage.create(501)
  await cell.start()
  await cell.closeGap(stage.call('bob'))
  const { posts } = await stage.page('bob')
  const oldest = posts.at(-1)
  const post = { author: userRef('ann').key, postId: oldest?.postId ?? posts[0]?.postId }
  if (post.postId === undefined) throw new Error('an empty dashboard')
  const why = ok(await cell.explain(stage.call('bob'), { ...post, postId: post.postId }))
  expect(why).toMatchObject({ verdict: 'on-dashboard', source: 'pulled' })
})

test('who is followed by records of the gap alone is listed, whatever the index had heard', async () => {
  const stage = await Stage.open()
  const donor = await donorOn(stage)
  await stage.follow('bob', 'ann')
  await stage.checkpoint()
  const writing = gate()
  stage.hooks.set('readers.put', writing.hook)
  await stage.unfollow('bob', 'ann')
  await stage.applied()
  void stage.cell.checkpoint()
  await until(() => writing.waiting > 0)
  stage.crash()
  const author = userRef('ann').key
  expect(await stage.store.followers.after(1, undefined, 10)).toEqual([])
  await stage.follow('bob', 'ann')
  await donor.checkpoint()
  stage.clock.advance(HOUR)
  await stage.firehose.dropBefore(stage.clock.nowMs())
  await rebuild(stage, donor.store)
  const cell = stage.create(501)
  await cell.start()
  await cell.closeGap(stage.call('bob'))
  const query = { author, after: undefined, limit: 9 }
  const { followers } = ok(await cell.followersHere(stage.call('ann'), query))
  expect(followers.map(({ id }) => id)).toEqual(['bob'])
})

test('an edit of the gap that comes once more after it is not taken for a newer one', async () => {
  const stage = await Stage.open()
  const donor = await donorOn(stage)
  await stage.follow('bob', 'ann')
  const { author, postId } = await stage.publish('ann', 'first')
  await stage.checkpoint()
  stage.crash()
  const content = Buffer.from('second')
  const fact = {
    kind: 'post-edited' as const,
    author,
    postId,
    content,
    audience: 'public' as const,
  }
  const edit = { id: stage.eventId(), fact }
  await stage.firehose.append([edit])
  stage.clock.advance(SECOND)
  const gapEndMs = stage.clock.nowMs()
  await stage.append({ ...fact, content: Buffer.from('third') })
  await stage.firehose.append([edit])
  await donor.checkpoint()
  await stage.firehose.dropBefore(gapEndMs)
  await rebuild(stage, donor.store)
  const cell = stage.create(501)
  await cell.start()
  await cell.closeGap(stage.call('bob'))
  expect(await stage.dashboard('bob')).toEqual(['ann:third'])
})
