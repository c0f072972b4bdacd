// A client that watches: it lists the dashboard once, then keeps it current by nothing but what is pushed, also when its user moves to
// another cell meanwhile. Whenever the log has been still for a while its picture must be right, body for body.

import { hasReached, type Position } from '../../cells/model/position.ts'
import type { UserRef } from '../../cells/model/user-key.ts'
import type { PostView, WatchItem } from '../../cells/ports/cell-client.ts'
import type { Span } from './belonging.ts'
import { checkListing, nameOf } from './check-listing.ts'
import { checkView } from './check-page.ts'
import { ask } from './client.ts'
import type { CellHost, Incarnation } from './cell-host.ts'
import type { Dice } from './random.ts'
import type { Readers } from './readers.ts'
import { compareInDashboard } from './belonging.ts'
import { Violation } from './violation.ts'
import type { World } from './world.ts'

type Ended = 'left' | 'reload' | 'lost' | { readonly movedAt: Position }
type Stay = {
  readonly host: CellHost
  readonly incarnation: Incarnation
  readonly items: AsyncIterator<WatchItem>
  readonly position: Position
}

const AUDIT_PAUSE_US = 90_000_000

export class Watcher {
  readonly #world: World
  readonly #dice: Dice
  readonly #readers: Readers
  readonly #viewer: UserRef
  readonly #picture = new Map<string, PostView>()
  #isOver = false
  #isOpening = false
  #wantsToLeave = false

  constructor(options: { world: World; dice: Dice; readers: Readers; viewer: UserRef }) {
    this.#world = options.world
    this.#dice = options.dice
    this.#readers = options.readers
    this.#viewer = options.viewer
  }

  /** Watches for a while, or until told to read anew. */
  async watch(durationUs: number): Promise<void> {
    const world = this.#world
    const leave = new AbortController()
    let stay = await this.#open(leave.signal)
    if (stay === undefined) return
    world.scheduler.after(durationUs, 'watcher leaves', () => {
      this.#wantsToLeave = true
      // Who gives up while a cell is asked gets no answer at all.
      if (!this.#isOpening) leave.abort()
    })
    if (!(await this.#list(stay.position))) return leave.abort()
    let ended: Ended = 'lost'
    while (stay !== undefined) {
      const { incarnation, host } = stay
      world.spawn('an audit', () => this.#audit(incarnation, host))
      ended = await this.#follow(stay)
      this.#isOpening = true
      stay = typeof ended === 'object' ? await this.#open(leave.signal, ended.movedAt) : undefined
      this.#isOpening = false
      if (this.#wantsToLeave) leave.abort()
      if (stay !== undefined) world.tally.add('step: watcher goes on at another cell')
    }
    this.#isOver = true
    leave.abort()
    if (ended === 'left') this.#world.tally.add('step: watched for a while')
    if (ended === 'reload') this.#world.tally.add('step: watcher told to read anew')
  }

  /** At the viewer's cell of now; `since`: going on from where another one ended. */
  async #open(signal: AbortSignal, since?: Position): Promise<Stay | undefined> {
    const world = this.#world
    const viewer = this.#viewer.key
    const host = world.homeOf(viewer)
    const incarnation = host.serving
    if (incarnation === undefined) return undefined
    const question = { name: 'watch', seen: since ?? world.seenBy(viewer), deadlineMs: 300_000 }
    const asked = { ...question, epoch: world.placement.epoch }
    const heard = await ask(world, host, asked, (cell, base) =>
      cell.watch({ ...base, viewer, signal }, since),
    )
    if (heard.kind !== 'ok') return undefined
    const items = heard.value[Symbol.asyncIterator]()
    return { host, incarnation, items, position: heard.position }
  }

  async #list(seen: Position): Promise<boolean> {
    let from: Parameters<Readers['page']>[1]['from']
    for (;;) {
      const query = { limit: this.#dice.pick([2, 20]), from, countUnreadTo: undefined }
      const answer = await this.#readers.page(this.#viewer, query, seen)
      if (answer === undefined) return false
      for (const post of answer.page.posts) this.#picture.set(nameOf(post), post)
      const { older } = answer.page
      if (older === undefined) return true
      from = { direction: 'older', place: older }
    }
  }

  async #follow({ items, incarnation, host }: Stay): Promise<Ended> {
    const { process } = incarnation
    let isFirst = true
    for (;;) {
      const faultsBefore = process.faults
      const told = items.next().catch((error: unknown) => {
        if (process.isAlive && process.faults === faultsBefore) throw error
      })
      const next = await Promise.race([told, process.died])
      if (next === undefined || !process.isAlive) return 'lost'
      if (next.done === true) return 'left'
      const item = next.value
      if (isFirst && item.kind !== 'position' && item.kind !== 'reload') {
        throw new Violation('a watch does not begin with its position', { got: item.kind })
      }
      isFirst = false
      if (item.kind === 'reload') {
        if (item.position.length > 0) return { movedAt: item.position }
        this.#world.tally.add(`watcher reads anew: ${item.reason}`)
        return 'reload'
      }
      this.#take(item, host.shownBy(incarnation))
    }
  }

  #take(item: Exclude<WatchItem, { kind: 'reload' }>, delivered: Position): void {
    this.#world.tally.add(`watched: ${item.kind}`)
    const span = { from: item.position, to: delivered }
    switch (item.kind) {
      case 'added':
        checkView(this.#world.belonging, this.#viewer.key, item.post, span)
        this.#picture.set(nameOf(item.post), item.post)
        return
      case 'edited':
        checkView(this.#world.belonging, this.#viewer.key, item.post, span)
        if (this.#picture.has(nameOf(item.post))) this.#picture.set(nameOf(item.post), item.post)
        return
      case 'removed':
        if (item.authorId !== this.#world.userOf(item.author)?.id) this.#checkNameless(item, span)
        this.#picture.delete(nameOf(item))
        return
      case 'read-mark':
        this.#checkReadMark(item.postId, span)
        return
      case 'position':
    }
  }

  /** Compares when nothing was appended, and nothing went wrong, for as long as any push may take. */
  async #audit(incarnation: Incarnation, host: CellHost): Promise<void> {
    const { log } = incarnation
    for (let tries = 0; tries < 6 && !this.#isOver; tries++) {
      const query = { limit: 1, from: undefined, countUnreadTo: undefined }
      const answer = await this.#readers.page(this.#viewer, query)
      const before = log.delivered
      await this.#world.sleepUs(AUDIT_PAUSE_US)
      if (answer === undefined || this.#isOver || !host.weather.isCalm) continue
      if (host.serving !== incarnation || this.#world.homeOf(this.#viewer.key) !== host) continue
      if (!hasReached(answer.span.from, log.delivered) || !hasReached(before, log.delivered))
        continue
      this.#checkPicture({ from: answer.span.from, to: log.delivered })
    }
  }

  #checkPicture(span: Span): void {
    const { belonging } = this.#world
    checkListing(belonging, {
      name: 'what a watcher holds',
      shown: [...this.#picture.values()].sort(compareInDashboard),
      covers: () => true,
      span,
      conditions: (post) => belonging.onDashboard(this.#viewer.key, post),
    })
    for (const post of this.#picture.values()) {
      const versions = belonging.versions(post, span)
      if (versions.some(({ content }) => Buffer.compare(content, post.content) === 0)) continue
      throw new Violation(`a watcher was not told of the edit of ${nameOf(post)}`)
    }
    this.#world.tally.add("step: watcher's picture compared")
  }

  #checkReadMark(mark: PostView['postId'], span: Span): void {
    const marks = this.#world.belonging.readMarks(this.#viewer.key, span)
    if (!marks.includes(mark)) {
      throw new Violation('a watcher is told a read mark that never was', {
        got: mark,
        want: marks,
      })
    }
  }

  #checkNameless(item: Extract<WatchItem, { kind: 'removed' }>, span: Span): void {
    const { belonging } = this.#world
    if (!belonging.always([belonging.alive(item.author)], span)) return
    throw new Violation('a removal names the wrong author', { got: item.authorId })
  }
}
