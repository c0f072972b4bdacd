// Authors' stored posts as sources of the merge, read some at a time when a page gets down to them; and what was read so for a page.

import { isCoverage } from '../model/fill.ts'
import type { DashboardMerge, MergeStart, PostRun } from '../model/merge.ts'
import { hiOf, loOf, type PostId, postIdOf } from '../model/post-id.ts'
import { COVERED_FROM, type Reader } from '../model/reader.ts'
import type { PostTable } from '../ports/post-table.ts'
import type { CellState } from './cell-state.ts'

/** What a page pulled so far. */
export type PulledFor = {
  readonly reader: Reader
  /** Of the slot. */
  readonly floor: number
  /** Whose stored posts were read, some at a time. Each read has its share of what it took beside others. */
  opened: number
  tookUs: number
  /** Of those: who may have more of which the page has not had any. */
  goOn: Set<number> | undefined
  /** Of authors whose newer posts are in the inbox, and older ones may be put there. */
  authors: number
  entries: number
  /** By reading the inbox; undefined when the page did not get down to it. */
  inboxUs: number | undefined
}

export function pulledOf(reader: Reader, floor: number): PulledFor {
  return {
    reader,
    floor,
    opened: 0,
    tookUs: 0,
    goOn: undefined,
    authors: 0,
    entries: 0,
    inboxUs: undefined,
  }
}

export class AuthorPulls {
  readonly #state: CellState
  readonly #posts: Pick<PostTable, 'idsBelow'>
  readonly #monotonicMs: () => number
  #underWay = 0

  constructor(options: {
    state: CellState
    posts: Pick<PostTable, 'idsBelow'>
    monotonicMs: () => number
  }) {
    this.#state = options.state
    this.#posts = options.posts
    this.#monotonicMs = options.monotonicMs
  }

  /** Reads the author's next stored posts at or below the merge's place. */
  async pull(merge: DashboardMerge, start: MergeStart, pulled: PulledFor): Promise<void> {
    const { author, hi, lo } = merge
    const isAtStart = hi === start.hi && lo === start.lo
    const inclusive = !isAtStart || start.isAfter(author)
    const below = inclusive ? idAfter(hi, lo) : postIdOf(hi, lo)
    const limit = this.#state.limits.pullBatch
    const begunMs = this.#monotonicMs()
    const together = ++this.#underWay
    const { postIds, reblogs } = await this.#posts.idsBelow(author, below, limit).finally(() => {
      this.#underWay--
    })
    if (pulled.goOn?.has(author) !== true) pulled.opened++
    pulled.tookUs += ((this.#monotonicMs() - begunMs) * 1_000) / together
    if (this.#isFillable(author, pulled)) {
      pulled.authors++
      pulled.entries += postIds.length
    }
    merge.addRun(runOf(author, postIds, reblogs))
    const last = postIds.at(-1)
    if (postIds.length >= limit && last !== undefined) {
      pulled.goOn ??= new Set()
      pulled.goOn.add(author)
      const next = last - 1n
      merge.addPull(author, Number(next >> 32n), Number(next & 0xffff_ffffn))
    }
  }

  #isFillable(author: number, { reader, floor }: PulledFor): boolean {
    const { authors } = this.#state
    const edge = reader.edges.get(author)
    return edge !== undefined && isCoverage(edge & COVERED_FROM, author, { authors, floor })
  }
}

function idAfter(hi: number, lo: number): PostId | undefined {
  return hi === 0xffff_ffff && lo === 0xffff_ffff ? undefined : ((postIdOf(hi, lo) + 1n) as PostId)
}

function runOf(author: number, postIds: readonly PostId[], reblogs: readonly boolean[]): PostRun {
  const length = postIds.length
  const run = {
    hi: new Uint32Array(length),
    lo: new Uint32Array(length),
    authorReblog: new Uint32Array(length),
    length,
  }
  for (let i = 0; i < length; i++) {
    const id = postIds[i] as PostId
    run.hi[i] = hiOf(id)
    run.lo[i] = loOf(id)
    run.authorReblog[i] = author * 2 + (reblogs[i] === true ? 1 : 0)
  }
  return run
}
