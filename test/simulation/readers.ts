// Readers: what the users' clients ask, each as a little story that may take virtual minutes and outlive crashes of the cell.

import { hasReached, largerOf, type Position, zeroPosition } from '../../cells/model/position.ts'
import type { UserRef } from '../../cells/model/user-key.ts'
import type {
  Answer,
  Call,
  DashboardQuery,
  Page,
  Place,
  PostView,
} from '../../cells/ports/cell-client.ts'
import { checkExplanation, checkFollowers, checkFollowing, checkPost } from './check-facts.ts'
import { checkListing, nameOf } from './check-listing.ts'
import { checkPage, checkUnread, checkView, reachesTop } from './check-page.ts'
import { ask, type Heard } from './client.ts'
import { compareInDashboard, type PostRef, type Span } from './belonging.ts'
import type { CellHost } from './cell-host.ts'
import type { SimulatedCell } from './simulated-cell.ts'
import type { Dice } from './random.ts'
import { known, Violation } from './violation.ts'
import type { World } from './world.ts'

const DEADLINES_MS = [2_000, 30_000, 300_000]
const PATIENT_MS = 3_600_000
const PAGES_MAX = 200
const HOPS_MAX = 6

export class Readers {
  readonly #world: World
  readonly #dice: Dice
  /** Places that clients keep, to go on from much later. */
  readonly #kept: {
    readonly viewer: UserRef
    readonly query: NonNullable<DashboardQuery['from']>
  }[] = []

  constructor(world: World, dice: Dice) {
    this.#world = world
    this.#dice = dice
  }

  /** Every call is given an hour. */
  isPatient = false

  /** One page, checked; undefined when the cell did not answer. */
  async page(
    viewer: UserRef,
    query: DashboardQuery,
    seen?: Position,
  ): Promise<{ page: Page; span: Span } | undefined> {
    const world = this.#world
    const heard = await this.#ask(
      viewer,
      'dashboard',
      (cell, call) => cell.dashboard(call, query),
      seen,
    )
    if (heard.kind !== 'ok') return undefined
    const asked = { viewer: viewer.key, query, clockSkewMs: world.limits.clockSkewMs }
    checkPage(world.belonging, asked, heard)
    return { page: heard.value, span: heard.span }
  }

  /** From the top to the very end, in pages of random sizes, with pauses. */
  async walkDown(viewer: UserRef, pauseUs = 3_000_000): Promise<boolean> {
    const shown: PostView[] = []
    let from: DashboardQuery['from']
    let span: Span | undefined
    let reflected: Position | undefined
    for (let pages = 0; ; pages++) {
      if (pages > PAGES_MAX)
        throw new Violation('a dashboard never ends', { got: shown.map(nameOf) })
      const limit = this.#dice.pick([1, 2, 3, 5, 50])
      const countUnreadTo = this.#dice.chance(0.3) ? this.#dice.pick([1, 3, 100]) : undefined
      // A page's token holds what the page before reflected.
      const query = { limit, from, countUnreadTo }
      const answer = await this.#pageInTheEnd(viewer, query, reflected)
      if (answer === undefined) return false
      shown.push(...answer.page.posts)
      reflected = largerOf(answer.span.from, reflected ?? [])
      span = {
        from: span?.from ?? answer.span.from,
        to: largerOf(answer.span.to, span?.to ?? []),
      }
      this.#keep(viewer, answer.page)
      const { older } = answer.page
      if (older === undefined) break
      if (from !== undefined && compareInDashboard(from.place, older) >= 0) {
        throw new Violation('a page leads back to where it began')
      }
      from = { direction: 'older', place: older }
      await this.#world.sleepUs(this.#dice.below(pauseUs))
    }
    this.#checkWalk(viewer, shown, known(span, 'a span'))
    this.#world.tally.add('step: walked a dashboard to its end')
    return true
  }

  /** Goes on towards newer posts from a place kept earlier, merging by id, until nothing newer is there. */
  async walkUp(): Promise<void> {
    if (this.#kept.length === 0) return
    const { viewer, query } = this.#dice.pick(this.#kept)
    let place: Place = query.place
    for (let pages = 0; pages < PAGES_MAX; pages++) {
      const limit = this.#dice.pick([1, 2, 3, 5])
      const from = { direction: 'newer', place } as const
      const answer = await this.#pageInTheEnd(viewer, { limit, from, countUnreadTo: undefined })
      if (answer === undefined) return
      if (reachesTop(answer.page)) {
        this.#world.tally.add('step: walked up to the top')
        return
      }
      const newer = known(answer.page.newer, 'a place of newer posts')
      if (compareInDashboard(newer, place) >= 0) throw new Violation('newer pages lead nowhere')
      place = newer
      await this.#world.sleepUs(this.#dice.below(1_000_000))
    }
  }

  async countUnread(viewer: UserRef): Promise<void> {
    const cap = this.#dice.pick([1, 3, 100])
    const heard = await this.#ask(viewer, 'countUnread', (cell, call) =>
      cell.countUnread(call, cap),
    )
    if (heard.kind !== 'ok') return
    checkUnread(this.#world.belonging, { viewer: viewer.key, cap }, heard)
  }

  async post(viewer: UserRef | undefined, host: CellHost, post: PostRef): Promise<void> {
    const { author, postId } = post
    const heard =
      viewer === undefined
        ? await this.#askAnyone(host, 'publicPost', (cell, call) =>
            cell.publicPost(call, author, postId),
          )
        : await this.#ask(viewer, 'post', (cell, call) => cell.post(call, author, postId))
    if (heard.kind !== 'ok') return
    checkPost(this.#world.belonging, { viewer: viewer?.key, post }, heard.value, heard.span)
  }

  async authorPosts(viewer: UserRef | undefined, host: CellHost, author: UserRef): Promise<void> {
    let older: Place | undefined
    for (let pages = 0; pages < PAGES_MAX; pages++) {
      const query = { limit: this.#dice.pick([1, 2, 5]), older }
      const heard =
        viewer === undefined
          ? await this.#askAnyone(host, 'publicAuthorPosts', (cell, call) =>
              cell.publicAuthorPosts(call, author.key, query),
            )
          : await this.#ask(viewer, 'authorPosts', (cell, call) =>
              cell.authorPosts(call, author.key, query),
            )
      if (heard.kind !== 'ok') return
      this.#checkAuthorPage(viewer, author, { above: older, page: heard.value, span: heard.span })
      older = heard.value.older
      if (older === undefined) return
      await this.#world.sleepUs(this.#dice.below(1_000_000))
    }
    throw new Violation('the posts of an author never end')
  }

  async following(viewer: UserRef): Promise<void> {
    const { users, belonging } = this.#world
    let after: UserRef['key'] | undefined
    for (let pages = 0; pages <= users.length; pages++) {
      const query = { after, limit: this.#dice.pick([1, 2, 100]) }
      const heard = await this.#ask(viewer, 'following', (cell, call) =>
        cell.following(call, query),
      )
      if (heard.kind !== 'ok') return
      const { value, span } = heard
      checkFollowing(belonging, { viewer: viewer.key, ...query }, value, { users, span })
      after = value.next
      if (after === undefined) return
    }
    throw new Violation('a list of follows never ends')
  }

  async followers(host: CellHost, author: UserRef): Promise<void> {
    const { users } = this.#world
    // While a user moves, both cells may list them, and another one meanwhile neither.
    const here = (): UserRef[] =>
      users.filter(
        ({ key }) => this.#world.homeOf(key) === host && this.#world.knowsHome(host, key),
      )
    let after: UserRef['key'] | undefined
    for (let pages = 0; pages <= users.length; pages++) {
      const query = { author: author.key, after, limit: this.#dice.pick([1, 2, 100]) }
      const before = here()
      const heard = await this.#askAnyone(host, 'followersHere', (cell, call) =>
        cell.followersHere(call, query),
      )
      if (heard.kind !== 'ok') return
      const all = before.filter((user) => here().includes(user))
      const others = users.filter((user) => this.#world.hasMoved(user.key))
      checkFollowers(this.#world.belonging, query, heard.value, {
        users: all,
        others,
        span: heard.span,
      })
      after = heard.value.next
      if (after === undefined) return
    }
    throw new Violation('a list of followers never ends')
  }

  async explain(viewer: UserRef, post: PostRef): Promise<void> {
    const heard = await this.#ask(viewer, 'explain', (cell, call) => cell.explain(call, post))
    if (heard.kind !== 'ok') return
    const isBehind = !hasReached(heard.position, this.#world.log.bounds().end)
    const asked = { viewer: viewer.key, post, isBehind }
    checkExplanation(this.#world.belonging, asked, heard.value, heard.span)
  }

  /** The cell of somebody else says so, and never answers for them. */
  async askWrongCell(viewer: UserRef): Promise<void> {
    const home = this.#world.homeOf(viewer.key)
    const other = known(
      this.#world.hosts.find((host) => host !== home),
      'another cell',
    )
    const query = { limit: 5, from: undefined, countUnreadTo: undefined }
    const heard = await ask(
      this.#world,
      other,
      { name: 'wrong cell', seen: zeroPosition(this.#world.log.partitions), deadlineMs: 30_000 },
      (cell, call) => cell.dashboard({ ...call, viewer: viewer.key }, query),
    )
    if (heard.kind === 'lost' || heard.kind === 'late') return
    // It may not have heard yet that the user has moved, or may have been asked before that.
    if (this.#world.hasMoved(viewer.key)) return
    if (heard.kind === 'ok') throw new Violation('a cell answered for a user of another one')
    if (heard.cell !== home.name) {
      throw new Violation('moved to a cell that is not home', { got: heard.cell, want: home.name })
    }
    this.#world.tally.add('step: asked the wrong cell')
  }

  /** What a cell says of itself: never ahead of the log, never behind what it answered. */
  async status(host: CellHost): Promise<void> {
    const { answered, serving } = host
    if (serving === undefined) return
    const faultsBefore = serving.process.faults
    const status = await Promise.race([serving.cell.status(), serving.process.died])
    if (status === undefined || host.serving !== serving) return
    const got = status.position
    const isWrong = !hasReached(got, answered) || !hasReached(serving.log.delivered, got)
    if (isWrong) throw new Violation('a cell does not know its position', { got, want: answered })
    if (!status.ready && !serving.wasSuspended && status.openGap.length === 0)
      throw new Violation('a cell that serves says that it does not')
    if (serving.process.faults === faultsBefore) this.#world.tally.add('step: asked for status')
    if (status.entriesFilled > 0) this.#world.tally.add('step: inboxes were filled')
  }

  #deadlineMs(): number {
    return this.isPatient ? PATIENT_MS : this.#dice.pick(DEADLINES_MS)
  }

  #checkWalk(viewer: UserRef, shown: readonly PostView[], span: Span): void {
    const { belonging } = this.#world
    checkListing(belonging, {
      name: 'walk',
      shown,
      covers: () => true,
      span,
      conditions: (post) => belonging.onDashboard(viewer.key, post),
    })
  }

  #checkAuthorPage(
    viewer: UserRef | undefined,
    author: UserRef,
    {
      above,
      page,
      span,
    }: {
      above: Place | undefined
      page: { posts: readonly PostView[]; older: Place | undefined }
      span: Span
    },
  ): void {
    const { belonging } = this.#world
    const { posts, older } = page
    checkListing(belonging, {
      name: 'author page',
      shown: posts,
      covers: (post) =>
        post.author === author.key &&
        (above === undefined || compareInDashboard(above, post) < 0) &&
        (older === undefined || compareInDashboard(post, older) <= 0),
      span,
      conditions: (post) =>
        viewer === undefined ? belonging.isPublic(post) : belonging.visible(viewer.key, post),
    })
    for (const post of posts) checkView(belonging, viewer?.key, post, span)
  }

  /** Asks again for a while when the cell is down: a page token outlives a restart. */
  async #pageInTheEnd(
    viewer: UserRef,
    query: DashboardQuery,
    seen?: Position,
  ): Promise<{ page: Page; span: Span } | undefined> {
    for (let tries = 0; tries < 4; tries++) {
      const answer = await this.page(viewer, query, seen)
      if (answer !== undefined) return answer
      await this.#world.sleepUs(this.#dice.below(20_000_000))
    }
    return undefined
  }

  #keep(viewer: UserRef, { older, newer }: Page): void {
    if (this.#kept.length > 20) this.#kept.shift()
    if (newer !== undefined)
      this.#kept.push({ viewer, query: { direction: 'newer', place: newer } })
    else if (older !== undefined)
      this.#kept.push({ viewer, query: { direction: 'newer', place: older } })
  }

  /** With the session's token, or with none: what the cell answered before must be there in any case. */
  async #ask<T>(
    viewer: UserRef,
    name: string,
    call: (cell: SimulatedCell, call: Call) => Promise<Answer<T>>,
    atLeast?: Position,
  ): Promise<Heard<T>> {
    const world = this.#world
    const session = this.#dice.chance(0.6)
      ? world.seenBy(viewer.key)
      : zeroPosition(world.log.partitions)
    const seen = largerOf(session, atLeast ?? [])
    const router = this.#dice.pick(world.routers)
    for (let hops = 0; hops < HOPS_MAX; hops++) {
      const { cell: home, epoch } = router.homeOf(viewer.key)
      const { key } = viewer
      const question = { name, seen, epoch, viewer: key, deadlineMs: this.#deadlineMs() }
      const heard = await ask(world, world.hostOf(home), question, (cell, base) =>
        call(cell, { ...base, viewer: viewer.key }),
      )
      if (heard.kind === 'moved') {
        if (!world.hasMoved(viewer.key)) throw new Violation(`${name}: the home cell says moved`)
        router.moved(viewer.key, heard)
        world.tally.add('step: followed to another cell')
        continue
      }
      if (heard.kind === 'ok') world.noteSeen(viewer.key, largerOf(heard.position, seen))
      return heard
    }
    throw new Violation(`${name}: sent from cell to cell`)
  }

  #askAnyone<T>(
    host: CellHost,
    name: string,
    call: (cell: SimulatedCell, call: Omit<Call, 'viewer'>) => Promise<Answer<T>>,
  ): Promise<Heard<T>> {
    const { log } = this.#world
    const seen = this.isPatient ? log.bounds().end : zeroPosition(log.partitions)
    const question = { name, seen, deadlineMs: this.#deadlineMs() }
    return ask(this.#world, host, question, call)
  }
}
