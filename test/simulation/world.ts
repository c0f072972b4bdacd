// One small world by dice: users, cells, clocks, limits. Everything is shrunk until every bound is met often: windows of a few
// posts, chunks of a few entries, memory for a body or two.

import { CELL_LIMITS, type CellLimits } from '../../cells/model/cell-limits.ts'
import {
  type CellName,
  firstPlacement,
  ownerOf,
  type Placement,
  homeSlotOf,
  slotOf,
} from '../../cells/model/placement.ts'
import { largerOf, type Position, zeroPosition } from '../../cells/model/position.ts'
import { type UserKey, type UserRef, userRef } from '../../cells/model/user-key.ts'
import { Belonging } from './belonging.ts'
import { CellHost } from './cell-host.ts'
import type { MakeCell } from './simulated-cell.ts'
import { SkewedClock, Wall } from './clocks.ts'
import { EventLog } from './event-log.ts'
import { Brokers, Gateway } from './gateway.ts'
import { Dice } from './random.ts'
import { ReferenceModel } from './reference-model.ts'
import { PlacementStore } from './placement-store.ts'
import { SimulatedRouter } from './router.ts'
import { Scheduler } from './scheduler.ts'
import { Tally } from './tally.ts'
import type { Trace } from './trace.ts'
import { known, Violation } from './violation.ts'

const CELLS = ['A', 'B']

export class World {
  readonly seed: number
  readonly scheduler: Scheduler
  readonly tally = new Tally()
  readonly dice: Dice
  readonly wall: Wall
  readonly limits: CellLimits
  readonly control: PlacementStore
  readonly routers: readonly SimulatedRouter[]
  /** Some come later. */
  readonly users: UserRef[]
  readonly log: EventLog
  readonly belonging: Belonging
  readonly brokers: Brokers
  readonly gateways: readonly Gateway[]
  readonly hosts: readonly CellHost[]
  /** What each user's client has seen or written, as one token. */
  readonly #seen = new Map<UserKey, Position>()
  /** Nobody imports relations as of before this: cells that lost records could not judge them. */
  snapshotsFromMs = 0
  /** A cell that is down, and is being brought back: nobody takes or moves its slots. */
  keptAside: CellName | undefined
  readonly trace: Trace
  #violation: Violation | undefined
  #boots = 0
  #active = 0

  constructor(options: {
    readonly seed: number
    readonly trace: Trace
    readonly makeCell: MakeCell
  }) {
    const { seed } = options
    const dice = (stream: string): Dice => new Dice(seed, stream)
    this.seed = seed
    this.trace = options.trace
    this.dice = dice('world')
    this.scheduler = new Scheduler(options.trace)
    const partitionsPerTopic = this.dice.between(2, 4)
    this.wall = new Wall(this.scheduler, startMs(this.dice))
    this.limits = limitsOf(this.dice)
    const first = firstPlacement(CELLS, this.dice.between(2, 6))
    // The third one is new: it owns nothing yet.
    const cells = this.dice.chance(0.4) ? [...CELLS, 'C'] : CELLS
    const placement = { ...first, cells }
    this.control = new PlacementStore(placement)
    this.routers = [1, 2].map((id) => new SimulatedRouter(this.control, dice(`router ${id}`)))
    this.users = usersOf(placement, this.dice.between(4, 8))
    this.log = new EventLog({ logId: `log-${seed}`, partitionsPerTopic })
    const model = new ReferenceModel({ partitions: this.log.partitions, rules: this.limits })
    this.belonging = new Belonging(model, partitionsPerTopic)
    this.brokers = new Brokers({
      log: this.log,
      model,
      leaders: [0, 1].map(() => new SkewedClock(this.wall, offMsOf(this.dice, 2_000))),
      trace: options.trace,
      dice: dice('brokers'),
      tally: this.tally,
    })
    this.gateways = [1, 2].map(
      (worker) =>
        new Gateway({
          worker,
          clock: new SkewedClock(this.wall, offMsOf(this.dice, 3_000)),
          brokers: this.brokers,
          scheduler: this.scheduler,
          dice: dice(`gateway ${worker}`),
          tally: this.tally,
        }),
    )
    this.hosts = cells.map(
      (name) => new CellHost(this, name, dice(`cell ${name}`), options.makeCell),
    )
  }

  get violation(): Violation | undefined {
    return this.#violation
  }

  /** The first violation ends the run. */
  report(error: unknown, during?: string): void {
    if (this.#violation !== undefined) return
    if (during !== undefined) this.trace.line(`  during ${during}:`)
    this.#violation =
      error instanceof Violation
        ? error
        : new Violation(
            `the simulation failed: ${error instanceof Error ? error.stack : String(error)}`,
          )
  }

  nextBoot(): number {
    return ++this.#boots
  }

  /** By the control store. */
  get placement(): Placement {
    return this.control.placement
  }

  /** The host of the cell that owns the user, by the control store. */
  homeOf(user: UserKey): CellHost {
    return this.hostOf(ownerOf(this.placement, homeSlotOf(this.placement, user)).cell)
  }

  /** Whether the process that serves has heard that the user lives there. */
  knowsHome(host: CellHost, user: UserKey): boolean {
    const epoch = host.serving?.process.knownEpoch ?? 0
    return this.control
      .between(epoch, epoch)
      .some((placement) => ownerOf(placement, homeSlotOf(placement, user)).cell === host.name)
  }

  hostOf(cell: string): CellHost {
    return known(
      this.hosts.find(({ name }) => name === cell),
      `cell ${cell}`,
    )
  }

  /** Whether the user's slot was ever in a move. */
  hasMoved(user: UserKey): boolean {
    return this.control.touched.has(slotOf(user, this.placement.slots))
  }

  userOf(key: UserKey): UserRef | undefined {
    return this.users.find((user) => user.key === key)
  }

  seenBy(user: UserKey): Position {
    return this.#seen.get(user) ?? zeroPosition(this.log.partitions)
  }

  noteSeen(user: UserKey, position: Position): void {
    this.#seen.set(user, largerOf(position, this.seenBy(user)))
  }

  /** Runs an activity of the outside world beside all others. */
  spawn(name: string, activity: () => Promise<void>): void {
    this.#active++
    activity()
      .catch((error: unknown) => this.report(error, name))
      .finally(() => this.#active--)
  }

  /** Activities that have not ended. */
  get active(): number {
    return this.#active
  }

  /** The same, or until the signal aborts. */
  sleepUnless(us: number, signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted === true) return Promise.resolve()
    return new Promise((resolve) => {
      const wake = (): void => {
        signal?.removeEventListener('abort', wake)
        resolve()
      }
      signal?.addEventListener('abort', wake)
      this.scheduler.after(us, 'world', wake)
    })
  }

  sleepUs(us: number): Promise<void> {
    return new Promise((resolve) => {
      this.scheduler.after(us, 'world', resolve)
    })
  }
}

/** Some seeds begin just before a month ends, as chunks and posts are stored by month. */
function startMs(dice: Dice): number {
  const monthEnd = Date.UTC(2031, dice.below(12), 1)
  return dice.chance(0.5)
    ? monthEnd - dice.below(1_200_000)
    : monthEnd + dice.below(20 * 86_400_000)
}

/** Mostly small, sometimes badly off. */
function offMsOf(dice: Dice, usualMs: number): number {
  const mostMs = dice.chance(0.12) ? 100_000 : usualMs
  return dice.between(-mostMs, mostMs)
}

function usersOf(placement: Placement, count: number): UserRef[] {
  const homes = CELLS.map((cell) => ({ cell, left: Math.ceil(count / CELLS.length) }))
  const users: UserRef[] = []
  for (let i = 0; users.length < count; i++) {
    const user = userRef(`user-${i}`)
    const owner = ownerOf(placement, slotOf(user.key, placement.slots)).cell
    const home = homes.find(({ cell, left }) => cell === owner && left > 0)
    if (home === undefined) continue
    home.left--
    users.push(user)
  }
  return users
}

function limitsOf(dice: Dice): CellLimits {
  const windowPostsKept = dice.pick([2, 6, 15])
  return {
    ...CELL_LIMITS,
    windowIdLagMaxMs: dice.pick([300_000, 3_600_000]),
    idAheadMaxMs: 300_000,
    relationMemoryMs: 3 * 86_400_000,
    windowPostsKept,
    windowPostsMax: windowPostsKept + dice.pick([4, 12, 40]),
    generationPosts: dice.pick([3, 8, 20]),
    generationMs: dice.pick([60_000, 900_000]),
    behindEvents: dice.pick([0, 3, 1e9]),
    chunkEntriesMax: dice.pick([2, 5, 100]),
    checkpointMs: dice.pick([15_000, 60_000, 300_000]),
    checkpointEvents: dice.pick([8, 30, 1_000]),
    pendingBytesMax: dice.pick([700, 3_000, 1_000_000]),
    postBatchRows: dice.pick([1, 3, 20]),
    fetchRecords: dice.pick([1, 3, 10, 50]),
    bodyMemoryBytes: dice.pick([0, 900, 1_000_000]),
    pullBatch: dice.pick([1, 2, 8]),
    chunkBatch: dice.pick([1, 2, 4]),
    watchQueueMax: dice.pick([2, 30]),
    costs: {
      chainUs: 1,
      walkedUs: dice.pick([0, 0.5, 20_000]),
      edgeUs: dice.pick([0, 0.1]),
      entryUs: 0.1,
      pullUs: dice.pick([0.1, 10, 1_000]),
      chunkUs: dice.pick([0, 1]),
      inboxUs: dice.pick([0, 5]),
    },
    policy: {
      mode: dice.pick(['by-cost', 'by-cost', 'by-cost', 'delivered', 'pulled']),
      latencyWeight: dice.pick([0.2, 1, 5]),
      byteUs: 0.01,
      hysteresis: dice.pick([1, 2]),
      dwellMs: dice.pick([0, 60_000, 900_000]),
      rateMs: dice.pick([60_000, 3_600_000]),
      priorReadMs: dice.pick([30_000, 3_600_000]),
      pulledMax: dice.pick([2, 1_000]),
      dormantMs: dice.pick([20_000, 300_000, 3_600_000, 1e13]),
    },
  }
}
