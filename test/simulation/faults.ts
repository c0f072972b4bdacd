// What goes wrong, by dice, and what operators do meanwhile: crashes, at moments picked by the clock or by what the cell is just
// doing; stores that are slow, fail or stick; clocks that jump; caches that lose; logs that are not what they were.

import { decodeCheckpoint } from '../../cells/model/rows.ts'
import type { LogRecord } from '../../cells/ports/firehose.ts'
import type { CellHost } from './cell-host.ts'
import type { Company } from './company.ts'
import type { EventLog } from './event-log.ts'
import { loseRecords } from './lost-records.ts'
import type { Dice } from './random.ts'
import { known, Violation } from './violation.ts'
import { fallAway } from './takeovers.ts'
import type { World } from './world.ts'
import { awayForAWhile, sleepAlone, stopForAWhile } from './zombies.ts'

const FAULTS = {
  crash: 6,
  'crash in the middle of something': 16,
  'stop in order': 6,
  'slow store': 4,
  'failing writes': 9,
  'failing reads': 3,
  'failing cache': 5,
  'cache loses': 3,
  'cell lags': 4,
  'stuck slot': 5,
  'clock jumps': 4,
  'cell sleeps': 2,
  'process stopped': 12,
  'machine away': 6,
  'process sleeps': 4,
  'away until taken over': 12,
  'one call slow': 6,
  leap: 1,
  retention: 8,
  'gap in the log': 2,
  'records lost': 9,
} as const
type Fault = keyof typeof FAULTS

/** Where a crash hurts: everything a cell makes durable, and what it reads when it starts. */
const TRAPS = [
  'posts.put',
  'posts.eraseAuthor',
  'posts.get',
  'posts.idsBelow',
  'inbox.putGeneration',
  'inbox.putChunks',
  'inbox.fill',
  'inbox.chunksBelow',
  'readers.put',
  'readers.putReach',
  'readers.ofSlot',
  'readers.dropTerm',
  'inbox.chunksOf',
  'authors.all',
  'placements.read',
  'placements.nextTerm',
  'followers.put',
  'authors.put',
  'authors.putGreatest',
  'names.reserve',
  'names.put',
  'names.all',
  'window.put',
  'window.get',
  'window.drop',
  'checkpoints.put',
  'cache.remove',
  'log.fetch',
] as const

/** What fails together: everything, or one table. */
const TABLES = [
  '',
  'posts.put',
  'posts.put',
  'inbox',
  'readers',
  'readers.putReach',
  'authors',
  'followers',
  'checkpoints',
]
const SLOW_OPS = [
  'readers.dropTerm',
  'readers.putReach',
  'readers.ofSlot',
  'followers.put',
  'inbox.chunksOf',
  'checkpoints.put',
  'log.fetch',
] as const

/** The next record may have been on its way to a cell that lags when its log was lost. */
const GAP_PATIENCE_S = 10_000
const GAPS = ['truncated', 'made anew', 'shortened', 'regrown', 'overtaken'] as const
const LEAPS_MS = [3_600_000, 20 * 3_600_000, 33 * 86_400_000]
/** How long something lasts. A slot that is stuck is only noticed when the window is full. */
const SHORT_US = [2_000_000, 30_000_000, 300_000_000]
const LONG_US = [60_000_000, 300_000_000, 900_000_000]
/** What is younger stays in the log: event ids are remembered for less. */
const RETENTION_MS = 600_000

export class Faults {
  readonly #world: World
  readonly #company: Company
  readonly #dice: Dice
  readonly #faults: Record<Fault, number>
  #isGapOpen = false

  constructor(world: World, company: Company, dice: Dice) {
    this.#world = world
    this.#company = company
    this.#dice = dice
    this.#faults = dice.sway(FAULTS)
  }

  async strike(): Promise<void> {
    const fault = this.#dice.weighted(this.#faults)
    const host = this.#dice.pick(this.#world.hosts)
    await this.#do(fault, host)
  }

  async #do(fault: Fault, host: CellHost): Promise<void> {
    const { weather } = host
    switch (fault) {
      case 'crash':
        return this.#crash(host)
      case 'crash in the middle of something': {
        const op = this.#dice.pick(TRAPS)
        const at = this.#dice.pick(['issue', 'acknowledge'] as const)
        weather.trap = { op, at, countdown: this.#dice.below(4) }
        // Some of it is only done by a cell that starts.
        if (this.#dice.chance(0.25)) host.crash()
        return
      }
      case 'stop in order':
        return host.stop()
      case 'slow store':
        return this.#forAWhile(
          fault,
          () => (weather.slowness = this.#dice.pick([4, 20])),
          () => (weather.slowness = 1),
        )
      case 'failing writes': {
        const table = this.#dice.pick(TABLES)
        return this.#forAWhile(
          fault,
          () => {
            weather.failingWrites = this.#dice.pick([0.3, 1, 1])
            weather.failingTable = table
          },
          () => (weather.failingWrites = 0),
          table === '' ? SHORT_US : LONG_US,
        )
      }
      case 'failing reads':
        return this.#forAWhile(
          fault,
          () => (weather.failingReads = this.#dice.pick([0.1, 0.5])),
          () => (weather.failingReads = 0),
        )
      case 'failing cache':
        return this.#forAWhile(
          fault,
          () => (weather.failingCache = this.#dice.pick([0.3, 0.9])),
          () => (weather.failingCache = 0),
        )
      case 'cache loses':
        host.cache.lose(this.#dice)
        this.#world.tally.add('fault: cache loses')
        return
      case 'cell lags':
        return this.#forAWhile(
          fault,
          () => (weather.lag = this.#dice.pick([10, 60])),
          () => (weather.lag = 1),
        )
      case 'stuck slot':
        return this.#forAWhile(
          fault,
          () => (weather.stuckSlot = this.#dice.below(this.#world.placement.slots)),
          () => (weather.stuckSlot = undefined),
          LONG_US,
        )
      case 'clock jumps':
        return this.#jumpSomeClock(host)
      case 'cell sleeps':
        return this.#forAWhile(
          fault,
          () => weather.fallAsleep(),
          () => weather.wakeUp(),
        )
      case 'process stopped':
        return stopForAWhile(this.#world, host, this.#dice)
      case 'machine away':
        return awayForAWhile(this.#world, host, this.#dice)
      case 'process sleeps':
        return sleepAlone(this.#world, host, this.#dice)
      case 'away until taken over':
        return fallAway(this.#world, this.#company, this.#dice)
      case 'one call slow':
        return this.#forAWhile(
          fault,
          () => (weather.slowOp = this.#dice.pick(SLOW_OPS)),
          () => (weather.slowOp = undefined),
          LONG_US,
        )
      case 'leap':
        this.#world.wall.leap(this.#dice.pick(LEAPS_MS))
        this.#world.tally.add('fault: everybody slept')
        return
      case 'retention':
        return this.#retain()
      case 'gap in the log':
        return this.#openGap(host)
      case 'records lost':
        return this.#loseRecords(this.#dice.chance(0.5) ? this.#aStandbyOr(host) : host)
    }
  }

  /** Sometimes again at once, while it starts. */
  async #crash(host: CellHost): Promise<void> {
    host.crash()
    if (this.#dice.chance(0.5)) return
    for (let waited = 0; !host.isRunning && waited < 100; waited++) {
      await this.#world.sleepUs(1_000_000)
    }
    await this.#world.sleepUs(this.#dice.below(300_000))
    host.crash()
  }

  async #forAWhile(
    fault: Fault,
    begin: () => unknown,
    end: () => unknown,
    durationsUs = SHORT_US,
  ): Promise<void> {
    begin()
    await this.#world.sleepUs(this.#dice.pick(durationsUs))
    end()
    this.#world.tally.add(`fault: ${fault}`)
  }

  #jumpSomeClock(host: CellHost): void {
    const { brokers, gateways, tally } = this.#world
    const who = this.#dice.pick(['leader', 'gateway', 'cell'] as const)
    const clock =
      who === 'leader'
        ? this.#dice.pick(brokers.leaders)
        : who === 'gateway'
          ? this.#dice.pick(gateways).clock
          : host.clock
    const mostMs = this.#dice.chance(0.2) ? 150_000 : 5_000
    clock.offMs = this.#dice.between(-mostMs, mostMs)
    tally.add(`fault: clock of a ${who} jumps`)
  }

  /** Old records go, as far as no cell needs them any more; not just while one reads where the log starts. */
  #retain(): void {
    const { log, belonging, hosts, tally } = this.#world
    if (hosts.some(({ isStarting }) => isStarting)) return
    for (let partition = 0; partition < log.partitions; partition++) {
      const end = known(log.bounds().end[partition], 'an end')
      const { logMs } = belonging.model.state(partition, end)
      const young = log
        .recordsOf(partition)
        .find(({ appendedAtMs }) => appendedAtMs > logMs - RETENTION_MS)
      const start = Math.min(
        young?.offset ?? end,
        ...hosts.map((host) => host.readAgainFrom[partition] ?? 0),
      )
      if (start > known(log.bounds().start[partition], 'a start')) tally.add('fault: retention')
      log.truncate(partition, start)
    }
  }

  /** A cell finds that the log is not the one it knew: it must stop, and say so; with the right log it goes on. */
  async #openGap(host: CellHost): Promise<void> {
    if (this.#isGapOpen || host.serving === undefined || host.hasZombie) return
    this.#isGapOpen = true
    const kind = this.#dice.pick(GAPS)
    await host.checkpoint()
    // Meanwhile it may have crashed, or been put to sleep.
    if (host.serving === undefined || host.hasZombie) {
      this.#isGapOpen = false
      return
    }
    host.hold()
    host.weather.clearUp()
    const gapsBefore = host.gapsSeen
    if (kind === 'overtaken') host.overtake()
    else {
      host.crash()
      const wrong = await this.#wrongLog(kind, host)
      if (wrong === undefined) {
        host.release()
        this.#isGapOpen = false
        return
      }
      host.showWrongLog(wrong)
      host.boot()
    }
    await this.#stopsWithGap(host, kind, gapsBefore)
    host.release()
    this.#isGapOpen = false
    this.#world.tally.add(`fault: log ${kind}`)
  }

  /** A cell was away for longer than the log keeps its records; then it is brought back from another cell. */
  async #loseRecords(host: CellHost): Promise<void> {
    const donor = this.#world.hosts.find((other) => other !== host)
    if (this.#isGapOpen || host.serving === undefined || host.hasZombie || donor === undefined)
      return
    this.#isGapOpen = true
    await loseRecords({
      world: this.#world,
      host,
      donor,
      company: this.#company,
      dice: this.#dice,
    })
    this.#isGapOpen = false
  }

  /** A cell that holds copies, if there is one. */
  #aStandbyOr(host: CellHost): CellHost {
    const { moves } = this.#world.placement
    const ready = moves.filter(({ isStandby, phase }) => isStandby && phase.kind === 'ready')
    return ready.length === 0 ? host : this.#world.hostOf(this.#dice.pick(ready).to)
  }

  async #stopsWithGap(host: CellHost, kind: string, gapsBefore: number): Promise<void> {
    for (let waited = 0; host.gapsSeen === gapsBefore; waited++) {
      if (waited > GAP_PATIENCE_S) {
        throw new Violation(`a cell goes on although the log was ${kind}`)
      }
      if (kind !== 'overtaken' && host.serving !== undefined) {
        throw new Violation(`a cell serves although the log was ${kind}`)
      }
      if (!host.isRunning) host.boot()
      // It may have died of something else first.
      if (kind === 'overtaken') host.overtake()
      await this.#world.sleepUs(1_000_000)
    }
  }

  async #wrongLog(kind: (typeof GAPS)[number], host: CellHost): Promise<EventLog | undefined> {
    const { log } = this.#world
    if (kind === 'made anew') return log.renamed(`${log.identity.logId}-anew`)
    const { checkpoint } = host.disk
    const ids = checkpoint === undefined ? [] : decodeCheckpoint(checkpoint.bytes).lastEventIds
    const { start } = log.bounds()
    // Where the record before its place is gone, a cell can not tell.
    const partitions = host.durable.flatMap((offset, partition) =>
      offset > (start[partition] ?? 0) && (ids[partition] ?? '0') !== '0' ? [partition] : [],
    )
    if (partitions.length === 0) return undefined
    const partition = this.#dice.pick(partitions)
    const durable = known(host.durable[partition], 'an offset')
    if (kind === 'truncated') return this.#truncated(partition)
    const end = this.#dice.between(start[partition] ?? 0, durable - 1)
    const cut = log.cutAt({ partition, end })
    if (kind === 'regrown') this.#regrow(cut, partition)
    return cut
  }

  /** Without records that came while the cell was down. */
  async #truncated(partition: number): Promise<EventLog | undefined> {
    const { log } = this.#world
    const endBefore = known(log.bounds().end[partition], 'an end')
    for (let i = 0; i < 60 && known(log.bounds().end[partition], 'an end') === endBefore; i++) {
      await this.#world.sleepUs(5_000_000)
    }
    const end = known(log.bounds().end[partition], 'an end')
    if (end === endBefore) return undefined
    const copy = log.renamed(log.identity.logId)
    copy.truncate(partition, end)
    return copy
  }

  /** Other records at the offsets of those that were lost, up to and beyond where the cell had been. */
  #regrow(cut: EventLog, partition: number): void {
    const model: LogRecord | undefined = this.#world.log.recordsOf(partition).at(-1)
    const until = known(this.#world.log.bounds().end[partition], 'an end') + 2
    const id = this.#dice.pick(this.#world.gateways).allocateEventId()
    for (let at = known(cut.bounds().end[partition], 'an end'); at < until; at++) {
      const event = {
        id: (id + BigInt(at)) as typeof id,
        fact: { kind: 'unreadable', reason: 'regrown', isNewer: false },
      } as const
      const appendedAtMs = model?.appendedAtMs ?? this.#world.wall.nowMs
      cut.append({ partition, event, appendedAtMs, skipped: 0 })
    }
  }
}
