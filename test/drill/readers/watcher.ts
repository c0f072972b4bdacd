// One who watches a dashboard, and from that alone knows what is on it: listed once, then changed as the watch says; listed anew
// when the watch says that. At the end it must know exactly what is there.

import { setTimeout as wait } from 'node:timers/promises'
import {
  type Cellfeed,
  CellfeedError,
  type DashboardChange,
} from '../../../services/client/connect.ts'
import type { ShownPost } from '../../chaos/check/check-walk.ts'
import { insist } from '../../chaos/load/insist.ts'

const PAGE_SIZE = 200
const LOOK_MS = 50
const PATIENCE_MS = 60_000

export class Watcher {
  readonly viewer: string
  /** Since it began: changes told post by post, and how often it had to list anew. */
  changes = 0
  resets = 0
  readonly #feed: Cellfeed
  readonly #ending = new AbortController()
  readonly #texts = new Map<string, string>()
  #isListed = false
  #failure: string | undefined
  readonly #watching: Promise<void>

  /** `feed`: one that opens a broken watch again by itself. */
  constructor(feed: Cellfeed, viewer: string) {
    this.#feed = feed.session()
    this.viewer = viewer
    this.#watching = this.#watch()
  }

  /** What it does not know as it is, when nothing changes any more and there was time to be told. */
  async mistakes(posts: readonly ShownPost[], withinMs: number): Promise<string[]> {
    const there = new Map(posts.map((post) => [nameOf(post.author, post.postId), post.text]))
    const untilMs = performance.now() + withinMs
    for (;;) {
      const wrong = differences(this.#texts, there)
      if (this.#failure !== undefined) wrong.push(`its watch ended: ${this.#failure}`)
      if (wrong.length === 0 || performance.now() > untilMs) return wrong
      await wait(LOOK_MS)
    }
  }

  async end(): Promise<void> {
    this.#ending.abort()
    await this.#watching
  }

  async #watch(): Promise<void> {
    const { signal } = this.#ending
    try {
      for await (const change of this.#feed.watch(this.viewer, { signal })) await this.#take(change)
      if (!signal.aborted) this.#failure = 'without an error'
    } catch (error) {
      if (!(error instanceof CellfeedError)) throw error
      if (!signal.aborted) this.#failure = `${error.reason}: ${error.message}`
    }
  }

  async #take(change: DashboardChange): Promise<void> {
    switch (change.kind) {
      case 'added':
      case 'edited':
        this.changes += 1
        this.#texts.set(nameOf(change.post.authorId, change.post.postId), change.post.text)
        return
      case 'removed':
        this.changes += 1
        this.#texts.delete(nameOf(change.authorId, change.postId))
        return
      case 'reset':
        this.resets += 1
        return this.#list()
      case 'heartbeat':
        // The first says that the watch is open: nothing falls between it and a list from now on.
        return this.#isListed ? undefined : this.#list()
      case 'readMarkMoved':
    }
  }

  async #list(): Promise<void> {
    this.#isListed = true
    const patience = AbortSignal.any([this.#ending.signal, AbortSignal.timeout(PATIENCE_MS)])
    const listed = await insist(() => this.#pages(), patience)
    this.#texts.clear()
    for (const [name, text] of listed) this.#texts.set(name, text)
  }

  async #pages(): Promise<Map<string, string>> {
    const texts = new Map<string, string>()
    for await (const { posts } of this.#feed.dashboardPages(this.viewer, { limit: PAGE_SIZE })) {
      for (const { authorId, postId, text } of posts) texts.set(nameOf(authorId, postId), text)
    }
    return texts
  }
}

function differences(
  known: ReadonlyMap<string, string>,
  there: ReadonlyMap<string, string>,
): string[] {
  const missed = [...there]
    .filter(([name, text]) => known.get(name) !== text)
    .map(([name, text]) => `${name} reads "${text}", was told "${known.get(name) ?? 'nothing'}"`)
  const kept = [...known.keys()].filter((name) => !there.has(name))
  return [...missed, ...kept.map((name) => `${name} is gone, was told of it`)]
}

function nameOf(author: string, postId: string): string {
  return `${author}/${postId}`
}
