// The merge of a page against a filter and a sort, however the posts lie in window, inbox and store.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { AuthorIndex } from '../../../cells/model/author-index.ts'
import { DashboardMerge, type MergeStart, type PostRun } from '../../../cells/model/merge.ts'
import { MergeRoom } from '../../../cells/model/merge-room.ts'
import { NamesTable } from '../../../cells/model/names-table.ts'
import { NumberMap } from '../../../cells/model/number-map.ts'
import { firstIdAt, hiOf, ID_EPOCH_MS, loOf, type PostId } from '../../../cells/model/post-id.ts'
import { userKey } from '../../../cells/model/user-key.ts'
import { PostWindow } from '../../../cells/model/window.ts'

type Post = { readonly author: number; readonly id: PostId }
type Edge = { readonly author: number; readonly coverage: number }
type Case = {
  /** In the order they were applied. */
  readonly posts: readonly Post[]
  /** Stored only; their authors' coverage was raised. */
  readonly late: readonly Post[]
  /** How many of them left the window, in two generations. */
  readonly written: readonly [number, number]
  readonly edges: readonly Edge[]
  readonly pulled: readonly number[]
  readonly floor: number
  readonly start: Post | undefined
  readonly isWalked: boolean
  readonly batch: number
}

const AUTHORS = [1, 2, 3, 4, 5]
const SECONDS = 12
const names = new NamesTable()
for (const number of AUTHORS) names.add(userKey(`author ${number}`), number)
const room = new MergeRoom(names)

const secondOf = ({ id }: Post): number => Number((id >> 22n) / 1000n)
const inOrder = (a: Post, b: Post): number =>
  a.id === b.id ? names.compareKeys(a.author, b.author) : a.id > b.id ? -1 : 1

const author = fc.constantFrom(...AUTHORS)
const post = fc
  .record({ author, second: fc.integer({ min: 1, max: SECONDS }), low: fc.bigInt(0n, 2n) })
  .map(({ author: by, second, low }): Post => {
    const id = (firstIdAt(ID_EPOCH_MS + second * 1000) + (low << 31n)) as PostId
    return { author: by, id }
  })
const second = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: SECONDS + 1 }))
const anyPosts = fc.uniqueArray(post, { maxLength: 40, selector: (p) => `${p.author}/${p.id}` })
const anyCase = fc.record({
  posts: anyPosts,
  late: anyPosts.map((all) => all.slice(0, 5)),
  written: fc.tuple(fc.nat(20), fc.nat(20)),
  edges: fc.uniqueArray(fc.record({ author, coverage: second }), { selector: (e) => e.author }),
  pulled: fc.uniqueArray(author),
  floor: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: second }),
  start: fc.option(post, { nil: undefined }),
  isWalked: fc.boolean(),
  batch: fc.integer({ min: 1, max: 4 }),
})

function runOf(posts: readonly Post[]): PostRun {
  return {
    hi: Uint32Array.from(posts, ({ id }) => hiOf(id)),
    lo: Uint32Array.from(posts, ({ id }) => loOf(id)),
    authorReblog: Uint32Array.from(posts, (p) => p.author * 2),
    length: posts.length,
  }
}

function startOf(start: Post | undefined): MergeStart {
  if (start === undefined) return { hi: 0xffff_ffff, lo: 0xffff_ffff, isAfter: () => true }
  return {
    hi: hiOf(start.id),
    lo: loOf(start.id),
    isAfter: (by) => names.compareKeys(by, start.author) > 0,
  }
}

/** What inboxes must hold of these posts: those whose author is covered there. Pulled authors are left out. */
function inboxOf(from: Case, posts: readonly Post[]): Post[] {
  return posts
    .filter((p) => {
      const edge = from.edges.find((e) => e.author === p.author)
      if (edge === undefined || from.pulled.includes(p.author)) return false
      return secondOf(p) >= Math.max(edge.coverage, from.floor)
    })
    .toSorted(inOrder)
}

/** All posts of the case, each once: of two creates of one post the first counts. */
function allOf({ posts: recent, late }: Case): Post[] {
  const isThere = (p: Post): boolean => recent.some((r) => r.id === p.id && r.author === p.author)
  return [...recent, ...late.filter((p) => !isThere(p))].toSorted(inOrder)
}

/** The posts that the merge shows when each of its wishes is met. */
function merged(from: Case): Post[] {
  const authors = new AuthorIndex()
  const window = new PostWindow(authors)
  for (const { author: by, id } of from.posts) {
    authors.noteId(by, hiOf(id), loOf(id))
    window.insert(by, hiOf(id), loOf(id), false)
  }
  const { posts: recent } = from
  for (const p of from.late) {
    authors.noteId(p.author, hiOf(p.id), loOf(p.id))
    authors.raise(p.author, secondOf(p) + 1)
  }
  const first = Math.min(from.written[0], recent.length)
  const end = Math.min(first + from.written[1], recent.length)
  window.drop(end)
  for (const by of from.pulled) authors.pull(by)
  const generations = [recent.slice(0, first), recent.slice(first, end)]
  const bounds = [first, end].map((to) =>
    recent.slice(0, to).reduce((max, p) => (p.id > max ? p.id : max), 0n as PostId),
  )
  const edges = new NumberMap()
  for (const edge of from.edges) edges.set(edge.author, edge.coverage)
  edges.compact()

  room.clear()
  const merge = new DashboardMerge({ window, authors, start: startOf(from.start), room })
  merge.addFollowed(edges, { floor: from.floor, way: () => (from.isWalked ? 'walk' : 'chains') })
  let left = 2
  const boundInbox = (): void => {
    const bound = bounds[left - 1]
    if (bound !== undefined) merge.addInbox(hiOf(bound), loOf(bound))
  }
  boundInbox()
  const shown: Post[] = []
  for (;;) {
    const step = merge.next()
    if (step === 'end') return shown
    const id = ((BigInt(merge.hi) << 32n) | BigInt(merge.lo)) as PostId
    if (step === 'post') shown.push({ author: merge.author, id })
    else if (step === 'open-inbox') {
      merge.addRun(runOf(inboxOf(from, generations[--left] ?? [])))
      boundInbox()
    } else {
      const stored = allOf(from)
        .filter((p) => p.author === merge.author && p.id <= id)
        .slice(0, from.batch)
      merge.addRun(runOf(stored))
      const last = stored.at(-1)?.id
      if (last !== undefined && stored.length === from.batch) {
        merge.addPull(merge.author, hiOf((last - 1n) as PostId), loOf((last - 1n) as PostId))
      }
    }
  }
}

test('shows every post of those followed below the start, once and in order', () => {
  fc.assert(
    fc.property(anyCase, (from) => {
      const { start } = from
      const expected = allOf(from)
        .filter((p) => from.edges.some((edge) => edge.author === p.author))
        .filter((p) => start === undefined || inOrder(start, p) < 0)
      expect(merged(from)).toEqual(expected)
    }),
    { numRuns: 2_000 },
  )
})

test('opens nothing that lies below the end of the page', () => {
  const authors = new AuthorIndex()
  const window = new PostWindow(authors)
  const edges = new NumberMap()
  for (const by of AUTHORS) {
    const id = firstIdAt(ID_EPOCH_MS + by * 1000)
    authors.noteId(by, hiOf(id), loOf(id))
    window.insert(by, hiOf(id), loOf(id), false)
    edges.set(by, SECONDS)
  }
  edges.compact()
  window.drop(2)
  room.clear()
  const merge = new DashboardMerge({ window, authors, start: startOf(undefined), room })
  merge.addFollowed(edges, { floor: 0, way: () => 'chains' })
  const old = firstIdAt(ID_EPOCH_MS + 2_000)
  merge.addInbox(hiOf(old), loOf(old))
  const steps = Array.from({ length: 4 }, () => merge.next())
  expect(steps).toEqual(['post', 'post', 'post', 'open-inbox'])
  expect([merge.next(), merge.author]).toEqual(['open-author', 2])
})
