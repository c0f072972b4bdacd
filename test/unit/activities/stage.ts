// A stage for tests of a whole cell: a real cell on memory adapters, a clock that stands still until it is told to go on, and a
// store whose calls can be held, lost or let land late. A crash is a cell whose ports never answer again.

import { setImmediate } from 'node:timers/promises'
import { Cell, type CellPorts } from '../../../cells/activities/cell.ts'
import { CELL_LIMITS, type CellLimits } from '../../../cells/model/cell-limits.ts'
import type { Audience, Fact, PostName, Unreadable } from '../../../cells/model/event.ts'
import { IdAllocator } from '../../../cells/model/id-allocator.ts'
import { firstPlacement, type Placement } from '../../../cells/model/placement.ts'
import type { EventId, PostId } from '../../../cells/model/post-id.ts'
import { userRef } from '../../../cells/model/user-key.ts'
import type {
  Answer,
  Call,
  DashboardQuery,
  Page,
  PostView,
} from '../../../cells/ports/cell-client.ts'
import type { Clock } from '../../../cells/ports/clock.ts'
import { MemoryBodyCache } from '../../../infra/memory/body-cache.ts'
import { MemoryCellStore } from '../../../infra/memory/cell-store.ts'
import { MemoryFirehose } from '../../../infra/memory/firehose.ts'
import { MemoryPlacements } from '../../../infra/memory/placements.ts'

export const START_MS = 1_700_000_000_000
export const SECOND = 1_000
export const HOUR = 3_600_000

/** What becomes of a call to the store, by `table.method`; `run` does it. */
type Hook = (run: () => Promise<unknown>) => Promise<unknown>
type Published = PostName & { readonly text: string }
type PublishOptions = {
  readonly id?: PostId
  readonly idMs?: number
  readonly reblogOf?: PostName
  readonly audience?: Audience
}

/** A cell's name, and what it shares with others. */
export type Neighbourhood = {
  readonly name: string
  readonly clock: StandingClock
  readonly firehose: MemoryFirehose
  readonly moving: MemoryPlacements
  readonly placement: Placement
}

export class Stage {
  readonly clock: StandingClock
  readonly firehose: MemoryFirehose
  readonly store = new MemoryCellStore()
  readonly cache = new MemoryBodyCache({ bytesMax: 1 << 20 })
  readonly hooks = new Map<string, Hook>()
  readonly limits: CellLimits
  readonly #posts = new IdAllocator(1)
  readonly #events = new IdAllocator(2)
  #boots = 0
  #life = { isOver: false }
  #cell: Cell | undefined
  readonly #near: Neighbourhood | undefined

  constructor(limits: Partial<CellLimits> = {}, near?: Neighbourhood) {
    this.limits = { ...CELL_LIMITS, windowPostsKept: 0, ...limits }
    this.#near = near
    this.clock = near?.clock ?? new StandingClock()
    this.firehose =
      near?.firehose ??
      new MemoryFirehose({ clock: this.clock, logId: 'log', partitionsPerTopic: 2 })
  }

  static async open(limits: Partial<CellLimits> = {}): Promise<Stage> {
    const stage = new Stage(limits)
    await stage.boot()
    return stage
  }

  get cell(): Cell {
    if (this.#cell === undefined) throw new Error('the stage has no cell')
    return this.#cell
  }

  /** A cell that is made and not yet started. Boots after one that is given go on from there. */
  create(boot = this.#boots + 1): Cell {
    this.#boots = boot
    const life = { isOver: false }
    this.#life = life
    const { firehose, store, cache, clock } = this
    const { name = 'a', placement = firstPlacement(['a'], 4) } = this.#near ?? {}
    const moving = this.#near?.moving ?? new MemoryPlacements(placement)
    const monotonicMs = (): number => 0
    const ports = mortal(life, this.hooks, { firehose, store, cache, clock, monotonicMs, moving })
    this.#cell = new Cell(ports, { name, boot, placement, limits: this.limits })
    return this.#cell
  }

  async boot(): Promise<void> {
    await this.create().start()
  }

  crash(): void {
    this.#life.isOver = true
    this.hooks.clear()
  }

  async restart(): Promise<void> {
    this.crash()
    await this.boot()
  }

  async append(fact: Exclude<Fact, Unreadable>): Promise<void> {
    await this.firehose.append([{ id: this.eventId(), fact }])
  }

  eventId(): EventId {
    return this.#events.allocate(this.clock.nowMs()) as EventId
  }

  async publish(author: string, text: string, options: PublishOptions = {}): Promise<Published> {
    const { id, idMs, reblogOf, audience = 'public' } = options
    const allocator = idMs === undefined ? this.#posts : new IdAllocator(3)
    const postId = id ?? (allocator.allocate(idMs ?? this.clock.nowMs()) as PostId)
    const name = { author: userRef(author), postId }
    const content = Buffer.from(text)
    const head = Buffer.from(`${author}:`)
    await this.append({ kind: 'post-created', ...name, head, content, reblogOf, audience })
    return { ...name, text }
  }

  edit(post: PostName, text: string): Promise<void> {
    const { author, postId } = post
    const content = Buffer.from(text)
    return this.append({ kind: 'post-edited', author, postId, content, audience: 'public' })
  }

  remove({ author, postId }: PostName): Promise<void> {
    return this.append({ kind: 'post-deleted', author, postId })
  }

  follow(
    user: string,
    author: string,
    options: { readonly hideReblogs?: boolean; readonly asOfMs?: number } = {},
  ): Promise<void> {
    const { hideReblogs = false, asOfMs } = options
    const edge = { user: userRef(user), author: userRef(author) }
    return this.append({ kind: 'followed', ...edge, hideReblogs, asOfMs })
  }

  unfollow(user: string, author: string): Promise<void> {
    const edge = { user: userRef(user), author: userRef(author) }
    return this.append({ kind: 'unfollowed', ...edge, asOfMs: undefined })
  }

  hide(kind: 'blocked' | 'unblocked' | 'muted' | 'unmuted', user: string, target: string) {
    const edge = { user: userRef(user), target: userRef(target) }
    return this.append({ kind, ...edge, asOfMs: undefined })
  }

  markRead(user: string, { postId }: PostName): Promise<void> {
    return this.append({ kind: 'read-marked', user: userRef(user), postId })
  }

  deleteUser(user: string): Promise<void> {
    return this.append({ kind: 'user-deleted', user: userRef(user) })
  }

  /** A call of the viewer that must see everything in the log. */
  call(viewer: string, signal: AbortSignal = new AbortController().signal): Call {
    return { viewer: userRef(viewer).key, seen: this.firehose.currentBounds().end, signal }
  }

  async page(viewer: string, query: Partial<DashboardQuery> = {}): Promise<Page> {
    const all = { limit: 100, from: undefined, countUnreadTo: undefined, ...query }
    return ok(await this.cell.dashboard(this.call(viewer), all))
  }

  /** The whole dashboard as `author:text`, read page by page from the top. */
  async dashboard(viewer: string, limit = 100): Promise<string[]> {
    const shown: string[] = []
    let page = await this.page(viewer, { limit })
    for (;;) {
      shown.push(...page.posts.map(textOf))
      if (page.older === undefined) return shown
      page = await this.page(viewer, { limit, from: { direction: 'older', place: page.older } })
    }
  }

  /** Resolves when everything in the log is applied. */
  async applied(): Promise<void> {
    const { end } = this.firehose.currentBounds()
    await until(async () => {
      const { position } = await this.cell.status()
      return end.every((offset, p) => (position[p] ?? 0) >= offset)
    })
  }

  /** Everything applied goes to inboxes and leaves the window. */
  async deliver(): Promise<void> {
    await this.applied()
    await until(async () => (await this.cell.status()).pendingPosts === 0)
    await this.cell.writeGeneration()
  }

  async checkpoint(): Promise<void> {
    await this.applied()
    await this.cell.checkpoint()
  }
}

export function textOf(post: PostView): string {
  return Buffer.concat([post.head, post.content]).toString()
}

export function ok<T>(answer: Answer<T>): T {
  if (answer.kind !== 'ok') throw new Error(`the cell answered ${answer.kind}`)
  return answer.value
}

/** Looks again whenever everything else had its turn. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await setImmediate()
}

/** A hook that never answers, and what lets the calls it holds land after all. */
export function held(): { readonly hook: Hook; readonly calls: (() => Promise<unknown>)[] } {
  const calls: (() => Promise<unknown>)[] = []
  const hook: Hook = (run) => {
    calls.push(run)
    return never()
  }
  return { hook, calls }
}

/** A hook that makes calls wait, until it is opened. */
export function gate(): {
  readonly hook: Hook
  readonly open: () => void
  readonly opened: Promise<void>
  waiting: number
} {
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  const made = {
    waiting: 0,
    open: () => open(),
    opened,
    hook: async (run: () => Promise<unknown>) => {
      made.waiting++
      await opened
      return run()
    },
  }
  return made
}

export class StandingClock implements Clock {
  #nowMs = START_MS
  #sleepers: { readonly wakeMs: number; readonly wake: () => void }[] = []

  nowMs(): number {
    return this.#nowMs
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        signal?.removeEventListener('abort', wake)
        resolve()
      }
      if (signal?.aborted === true) wake()
      signal?.addEventListener('abort', wake)
      this.#sleepers.push({ wakeMs: this.#nowMs + ms, wake })
    })
  }

  yield(): Promise<void> {
    return setImmediate()
  }

  advance(ms: number): void {
    this.#nowMs += ms
    const due = this.#sleepers.filter(({ wakeMs }) => wakeMs <= this.#nowMs)
    this.#sleepers = this.#sleepers.filter(({ wakeMs }) => wakeMs > this.#nowMs)
    for (const { wake } of due) wake()
  }
}

function never(): Promise<never> {
  return new Promise(() => {})
}

function mortal(life: { isOver: boolean }, hooks: Map<string, Hook>, ports: CellPorts): CellPorts {
  const wrap = <T extends object>(name: string, port: T): T =>
    new Proxy(port, {
      get(target, property) {
        const member: unknown = Reflect.get(target, property)
        if (typeof member !== 'function') return member
        return (...args: unknown[]): unknown => {
          const run = (): unknown => Reflect.apply(member, target, args)
          if (life.isOver) return never()
          const hook = hooks.get(`${name}.${String(property)}`)
          const done = hook === undefined ? run() : hook(run as () => Promise<unknown>)
          if (!(done instanceof Promise)) return done
          return done.then((value: unknown) => (life.isOver ? never() : value))
        }
      },
    })
  const tables = Object.entries(ports.store).map(([name, table]) => [name, wrap(name, table)])
  const firehose = wrap('firehose', ports.firehose)
  return {
    clock: ports.clock,
    monotonicMs: ports.monotonicMs,
    moving: ports.moving,
    cache: wrap('cache', ports.cache),
    store: Object.fromEntries(tables) as CellPorts['store'],
    firehose: Object.assign(Object.create(firehose) as typeof firehose, {
      identity: ports.firehose.identity,
      follow: (from: readonly number[], options: Parameters<typeof firehose.follow>[1]) =>
        mortalBatches(life, ports.firehose.follow(from, options)),
    }),
  }
}

async function* mortalBatches<T>(life: { isOver: boolean }, batches: AsyncIterable<T>) {
  for await (const batch of batches) {
    if (life.isOver) await never()
    yield batch
  }
}
