// One session of one user: does this and that, one thing after another, and holds everything it is shown against the history.

import { setTimeout as wait } from 'node:timers/promises'
import { type Cellfeed, CellfeedError } from '../../../services/client/connect.ts'
import type { Dice } from '../../simulation/random.ts'
import { checkWalk, type ShownPost } from '../check/check-walk.ts'
import { SessionMemory } from '../check/session-memory.ts'
import type { RelationKind } from '../history/history.ts'
import type { PostFact } from '../history/post-fact.ts'
import type { Load } from './load.ts'
import { walkDashboard } from './walk-dashboard.ts'
import { type Author, edit, markRead, publish, relate, remove } from './writes.ts'

/** How often each thing is done. */
const habits = {
  read: 30,
  publish: 30,
  edit: 8,
  delete: 6,
  follow: 8,
  unfollow: 5,
  block: 1,
  unblock: 2,
  mute: 2,
  unmute: 3,
  markRead: 4,
  seeEverything: 3,
  reconnect: 2,
}

const livePostsMax = 40

export class Actor {
  readonly #load: Load
  readonly #user: string
  readonly #session: string
  readonly #dice: Dice
  readonly #memory = new SessionMemory()
  #feed: Cellfeed
  #freshAt = 0
  #texts = 0
  #seen: readonly ShownPost[] = []

  constructor(load: Load, user: string, session: string) {
    this.#load = load
    this.#user = user
    this.#session = session
    this.#dice = load.dice(session)
    this.#feed = load.feed.session()
  }

  /** Until the signal fires. */
  async run(signal: AbortSignal): Promise<void> {
    const { plan } = this.#load
    const pauseMeanMs = (plan.users * plan.sessionsPerUser * 1_000) / plan.actionsPerSecond
    while (!signal.aborted) {
      await wait(this.#dice.below(2 * pauseMeanMs))
      if (!signal.aborted) await this.#act(signal)
    }
  }

  async #act(signal: AbortSignal): Promise<unknown> {
    const author = this.#author(signal)
    const user = this.#user
    const other = this.#other()
    switch (this.#dice.weighted(habits)) {
      case 'read':
        return this.#read()
      case 'publish':
        if (this.#livePosts().length >= livePostsMax) return this.#deleteSome(author)
        return publish(author, { author: user, text: this.#text(), origin: this.#origin() })
      case 'edit':
        return this.#withPost((post) => edit(author, post, this.#text()))
      case 'delete':
        return this.#deleteSome(author)
      case 'follow':
        return relate(author, { kind: 'follow', user, target: other, on: true })
      case 'unfollow':
        return this.#undo(author, 'follow')
      case 'block':
        return relate(author, { kind: 'block', user, target: other, on: true })
      case 'unblock':
        return this.#undo(author, 'block')
      case 'mute':
        return relate(author, { kind: 'mute', user, target: other, on: true })
      case 'unmute':
        return this.#undo(author, 'mute')
      case 'markRead':
        return this.#withPost((post) => markRead(author, user, post.postId))
      case 'seeEverything':
        return this.#seeEverything()
      case 'reconnect':
        return this.#reconnect()
    }
  }

  async #read(): Promise<void> {
    const { history, plan } = this.#load
    const isWhole = this.#dice.chance(0.4)
    try {
      const walk = await walkDashboard(history, this.#feed, {
        viewer: this.#user,
        session: this.#session,
        freshAt: this.#freshAt,
        pageSize: this.#dice.between(3, isWhole ? 100 : 20),
        pagesMax: isWhole ? Number.POSITIVE_INFINITY : this.#dice.between(1, 3),
        timeoutMs: plan.timeoutMs,
      })
      const { tally } = this.#load
      tally.read(walk.posts.length)
      this.#seen = walk.posts
      tally.found([...checkWalk(history, walk), ...this.#memory.check(history, walk)])
    } catch (error) {
      this.#notAnswered(error)
    }
  }

  async #seeEverything(): Promise<void> {
    const at = this.#load.history.tick()
    try {
      await this.#feed.seeEverything()
      this.#freshAt = at
    } catch (error) {
      this.#notAnswered(error)
    }
  }

  /** As with a cookie: another session object, which knows what this one knew. */
  #reconnect(): void {
    const tokens = this.#feed.consistencyTokens
    if (tokens.length > 0) this.#feed = this.#load.feed.session(tokens)
  }

  #notAnswered(error: unknown): void {
    if (!(error instanceof CellfeedError)) throw error
    this.#load.tally.notRead(`read: ${error.reason || error.code}`)
  }

  #author(signal: AbortSignal): Author {
    const [load, session, feed, dice] = [this.#load, this.#session, this.#feed, this.#dice]
    return { load, session, feed, dice, signal }
  }

  #other(): string {
    const others = this.#load.users.filter((user) => user !== this.#user)
    return this.#dice.pick(others)
  }

  async #undo(author: Author, kind: RelationKind): Promise<void> {
    const user = this.#user
    const { history } = this.#load
    const targets = history
      .targetsOf(kind, user)
      .filter((target) => history.relation(kind, user, target).last?.on)
    if (targets.length === 0) return
    await relate(author, { kind, user, target: this.#dice.pick(targets), on: false })
  }

  #livePosts() {
    return this.#load.history.postsOf(this.#user).filter((post) => post.isLive)
  }

  async #withPost(act: (post: PostFact) => Promise<unknown>): Promise<void> {
    const posts = this.#livePosts()
    if (posts.length > 0) await act(this.#dice.pick(posts))
  }

  /** Now and then a post is a reblog of one seen last. */
  #origin(): PostFact | undefined {
    if (this.#seen.length === 0 || !this.#dice.chance(0.15)) return undefined
    const { author, postId } = this.#dice.pick(this.#seen)
    return this.#load.history.post(author, postId)
  }

  #deleteSome(author: Author): Promise<void> {
    return this.#withPost((post) => remove(author, post))
  }

  #text(): string {
    this.#texts += 1
    return `${this.#session} says ${this.#texts}`
  }
}
