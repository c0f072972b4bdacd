// A machine that a cell runs on: its disk, cache, clock and weather stay, incarnations of the cell come and go. A cell that dies is
// started again after a while, with a greater boot number, on the same store.

import { CellSuperseded } from '../../cells/activities/claim.ts'
import { NothingToRebuild, Rebuild } from '../../cells/activities/rebuild.ts'
import { DonorUnusable } from '../../cells/activities/rebuild-plan.ts'
import { FirehoseGap } from '../../cells/ports/firehose.ts'
import type { CellName } from '../../cells/model/placement.ts'
import { decodeCheckpoint } from '../../cells/model/rows.ts'
import { largerOf, type Position, zeroPosition } from '../../cells/model/position.ts'
import { CacheContent, cacheOf } from './cache.ts'
import { CellProcess, InjectedFault } from './cell-process.ts'
import { clockOf, SkewedClock } from './clocks.ts'
import { Disk } from './disk.ts'
import type { EventLog } from './event-log.ts'
import { LogPort } from './log-port.ts'
import { movingOf } from './placement-store.ts'
import type { Dice } from './random.ts'
import type { MakeCell, SimulatedCell } from './simulated-cell.ts'
import { storeOf } from './store.ts'
import { Violation } from './violation.ts'
import { Weather } from './weather.ts'
import type { World } from './world.ts'

/** An incarnation that serves, or is about to. */
export type Incarnation = {
  readonly process: CellProcess
  readonly cell: SimulatedCell
  readonly log: LogPort
  hasStarted: boolean
  /** It has started, and its process holds the lease as far as it knows. */
  isServing: boolean
  /** It was told that it may have slept: it need not be ready though it serves. */
  wasSuspended: boolean
}

export class CellHost {
  readonly name: CellName
  readonly disk: Disk
  readonly cache = new CacheContent()
  readonly weather: Weather
  readonly clock: SkewedClock
  readonly #world: World
  readonly #dice: Dice
  readonly #makeCell: MakeCell
  #running: Incarnation | undefined
  /** An older one that was stopped and may have gone on. */
  #zombie: Incarnation | undefined
  /** How far the log was given to others whose rows are in the store: zombies, and a donor. */
  #othersSaw: Position
  #isHeld = false
  #downSinceUs = 0
  /** The newest position of any answer: no later call may be answered as of an older one. */
  #answered: Position
  /** A wrong log to show to the next incarnations; the true one otherwise. */
  #wrongLog: EventLog | undefined
  #expectsGap = false
  #gapsSeen = 0
  /** A checkpoint is durable that holds at least this. */
  #durable: Position

  constructor(world: World, name: CellName, dice: Dice, makeCell: MakeCell) {
    this.#world = world
    this.name = name
    this.#dice = dice
    this.#makeCell = makeCell
    this.disk = new Disk((violation) => world.report(violation))
    this.weather = new Weather(dice)
    this.clock = new SkewedClock(world.wall, dice.between(-3_000, 3_000))
    this.#answered = zeroPosition(world.log.partitions)
    this.#durable = this.#answered
    this.#othersSaw = this.#answered
  }

  /** The incarnation that serves now, if one does. An older one does so until its successor takes the lease. */
  get serving(): Incarnation | undefined {
    return [this.#running, this.#zombie].find(
      (each) => each?.isServing === true && each.process.isAlive && each.process.isAwake,
    )
  }

  /** It was rebuilt, and nobody has said yet what it missed: it need not be ready. */
  isGapOpen = false

  get isHeld(): boolean {
    return this.#isHeld
  }

  get isStarting(): boolean {
    return this.isRunning && this.#running?.isServing !== true
  }

  get hasZombie(): boolean {
    return this.#zombie !== undefined
  }

  /** What an incarnation shows is at most of this position. */
  shownBy({ log }: Incarnation): Position {
    if (this.#zombie !== undefined) {
      this.#othersSaw = largerOf(this.#othersSaw, this.#zombie.log.delivered)
    }
    return largerOf(log.delivered, this.#othersSaw)
  }

  /** Since when no process of it runs; undefined while one does. */
  get downSinceUs(): number | undefined {
    const isUp = this.isRunning && this.#running?.process.isAwake === true
    return isUp || this.#zombie !== undefined ? undefined : this.#downSinceUs
  }

  get running(): Incarnation | undefined {
    return this.isRunning ? this.#running : undefined
  }

  get isRunning(): boolean {
    return this.#running?.process.isAlive === true
  }

  get answered(): Position {
    return this.#answered
  }

  noteAnswered(position: Position): void {
    this.#answered = largerOf(position, this.#answered)
  }

  get durable(): Position {
    return this.#durable
  }

  /** A start reads the log from here on, to know which ids there were. */
  get readAgainFrom(): Position {
    const { checkpoint } = this.disk
    if (checkpoint === undefined) return this.#durable.map(() => 0)
    const { memory } = decodeCheckpoint(checkpoint.bytes)
    return this.#durable.map((offset, partition) =>
      Math.min(offset, memory[partition]?.replayFromOffset ?? 0),
    )
  }

  /** Has the cell take a checkpoint now. */
  async checkpoint(): Promise<void> {
    const running = this.serving
    if (running === undefined) return
    const atLeast = this.#answered
    await this.command(running.cell.checkpoint(), running)
    if (this.serving !== running) return
    this.#durable = largerOf(atLeast, this.#durable)
    this.#world.tally.add('step: checkpoint')
  }

  /** Waits for a command to a cell, or for the cell's end. */
  async command(done: Promise<void>, incarnation: Incarnation): Promise<void> {
    const { process } = incarnation
    const failed = (error: unknown): void => {
      if (process.isAlive && !process.isZombie && incarnation.isServing) throw error
    }
    await Promise.race([done.catch(failed), process.died])
  }

  /** How often an incarnation stopped with FirehoseGap. */
  get gapsSeen(): number {
    return this.#gapsSeen
  }

  /** Starts an incarnation; it serves some time later. */
  boot(): void {
    if (this.isRunning) return
    const world = this.#world
    const process = this.#startProcess()
    const log = new LogPort(process, this.#wrongLog ?? world.log, this.#dice)
    const { checkpoint } = this.disk
    if (checkpoint !== undefined) log.reflects(decodeCheckpoint(checkpoint.bytes).position)
    const ports = {
      firehose: log,
      store: storeOf(process, this.disk),
      cache: cacheOf(process, this.cache),
      clock: clockOf(process, this.clock, this.#dice),
      monotonicMs: () => 0,
      moving: movingOf(process, world.control, (name) => storeOf(process, world.hostOf(name).disk)),
    }
    const { placement, limits } = world
    const cell = this.#makeCell(ports, { name: this.name, boot: process.boot, placement, limits })
    const incarnation = {
      process,
      cell,
      log,
      hasStarted: false,
      isServing: false,
      wasSuspended: false,
    }
    this.#running = incarnation
    this.#live(incarnation).catch((error: unknown) => world.report(error))
    void process.died.then(() => this.#died(incarnation))
  }

  #startProcess(): CellProcess {
    const { scheduler, tally } = this.#world
    const { weather, name } = this
    const surroundings = { scheduler, dice: this.#dice, weather, tally, machine: name }
    return new CellProcess(surroundings, this.#world.nextBoot())
  }

  /** Stops the process that runs, and starts another one in its place. */
  putToSleep(): Incarnation | undefined {
    const incarnation = this.running
    if (incarnation?.process.isAwake !== true || this.#isHeld || this.isGapOpen || this.hasZombie)
      return undefined
    incarnation.process.fallAsleep()
    incarnation.process.isZombie = true
    this.#zombie = incarnation
    this.#running = undefined
    this.boot()
    return incarnation
  }

  /** Its lease is over by now; a process that notices says so to its cell, and serves again if no other one does. */
  wake({ isNoticed }: { readonly isNoticed: boolean }): void {
    const zombie = this.#zombie
    if (zombie === undefined) return
    if (isNoticed) this.#suspend(zombie)
    else zombie.isServing = false
    zombie.process.wakeUp()
    this.#world.tally.add(isNoticed ? 'step: zombie noticed' : 'step: zombie went on')
  }

  /** The process stands still, and nobody takes its place. */
  dozeOff({ process }: Incarnation): void {
    process.fallAsleep()
    this.#downSinceUs = this.#world.scheduler.nowUs
  }

  /** It looks at its lease first. */
  wakeAlone(incarnation: Incarnation): void {
    const { process } = incarnation
    if (!process.isAlive || process.isAwake) return
    this.#suspend(incarnation)
    process.wakeUp()
  }

  endZombie(): void {
    this.#zombie?.process.crash()
  }

  crash(): void {
    if (this.isRunning)
      this.#world.tally.add(this.isStarting ? 'fault: crash at start' : 'fault: crash')
    this.#running?.process.crash()
  }

  /** Stops the cell in order; it is started again like one that died. */
  async stop(): Promise<void> {
    const running = this.serving
    if (running === undefined || running !== this.#running) return
    running.isServing = false
    const { process, cell } = running
    await Promise.race([cell.stop(), process.died])
    if (process.isAlive) this.#world.tally.add('step: stopped in order')
    process.crash()
  }

  /** The run is over. */
  end(): void {
    this.#running?.process.end()
    this.#zombie?.process.end()
  }

  /** From now on the cell stays down, or is started with a wrong log, until `release`. */
  hold(): void {
    this.#isHeld = true
  }

  /** Records that it needs are gone from the log: it must say so. */
  expectGap(): void {
    this.#expectsGap = true
  }

  /** Brings the cell back from another one's store. False when the process died on the way. */
  async rebuild(donor: CellHost): Promise<boolean> {
    const process = this.#startProcess()
    const ports = {
      firehose: new LogPort(process, this.#world.log, this.#dice),
      store: storeOf(process, this.disk),
      donor: storeOf(process, donor.disk),
      clock: clockOf(process, this.clock, this.#dice),
    }
    const { placement, limits } = this.#world
    const { signal } = new AbortController()
    const options = { name: this.name, boot: process.boot, placement, limits, signal }
    const rebuilt = new Rebuild(ports, options).run().then(
      () => true,
      (error: unknown) => {
        // The one before died when it was done.
        if (error instanceof NothingToRebuild) return true
        const isUnlucky = error instanceof InjectedFault || error instanceof DonorUnusable
        if (!isUnlucky) throw error
        this.#world.tally.add(`step: rebuild failed with ${error.code}`)
        return false
      },
    )
    const isDone = await Promise.race([rebuilt, process.died])
    process.crash()
    // What the donor had stored of later records was copied too.
    if (isDone === true) this.#othersSaw = largerOf(this.#othersSaw, this.#world.log.bounds().end)
    return isDone === true
  }

  showWrongLog(log: EventLog): void {
    this.#wrongLog = log
    this.#expectsGap = true
  }

  /** The log of the incarnation that runs goes on without it. */
  overtake(): void {
    this.#expectsGap = true
    this.#running?.log.overtake()
  }

  release(): void {
    this.#isHeld = false
    this.#expectsGap = false
    this.#wrongLog = undefined
    this.boot()
  }

  async #live(incarnation: Incarnation): Promise<void> {
    const { process, cell } = incarnation
    const failed = cell.failure.then((error) => ({ error }))
    const started = cell.start().then(
      () => undefined,
      (error: unknown) => ({ error }),
    )
    const outcome = await Promise.race([started, failed, process.died])
    if (!process.isAlive) return
    if (outcome !== undefined) {
      this.#failed(incarnation, outcome.error)
      return
    }
    incarnation.hasStarted = true
    if (!process.isZombie) this.#takeLease(incarnation)
    const later = await Promise.race([failed, process.died])
    if (process.isAlive && later !== undefined) this.#failed(incarnation, later.error)
  }

  #suspend(incarnation: Incarnation): void {
    incarnation.wasSuspended = true
    incarnation.cell.suspend()
  }

  #takeLease(incarnation: Incarnation): void {
    const { process } = incarnation
    // The zombie may have answered since the successor looked for the end of the log.
    if (this.#zombie !== undefined) {
      this.#zombie.isServing = false
      this.#suspend(incarnation)
    }
    incarnation.isServing = true
    this.#world.tally.add(process.boot > 2 ? 'step: cell started again' : 'step: cell started')
  }

  #failed(incarnation: Incarnation, error: unknown): void {
    const { process, isServing } = incarnation
    if (error instanceof InjectedFault && !isServing) {
      this.#world.tally.add('fault: start failed')
      process.crash()
      return
    }
    if (process.isZombie && (error instanceof CellSuperseded || error instanceof FirehoseGap)) {
      this.#world.tally.add(`step: zombie ended with ${error.code}`)
      process.crash()
      return
    }
    if (!(error instanceof FirehoseGap)) {
      const text = error instanceof Error ? error.stack : String(error)
      this.#world.report(new Violation(`cell ${this.name} failed`, { got: text }))
    } else if (!this.#expectsGap) {
      this.#world.report(
        new Violation(`cell ${this.name} saw a gap in an unbroken log: ${error.message}`),
      )
    }
    this.#gapsSeen++
    process.crash()
  }

  #died(incarnation: Incarnation): void {
    incarnation.isServing = false
    this.#downSinceUs = this.#world.scheduler.nowUs
    if (this.#zombie === incarnation) {
      this.#othersSaw = this.shownBy(incarnation)
      this.#zombie = undefined
    }
    if (this.#isHeld || this.#running !== incarnation) return
    const delayUs = this.#dice.pick([10_000, 3_000_000, 60_000_000])
    this.#world.scheduler.after(this.#dice.below(delayUs), `${this.name} starts again`, () => {
      if (!this.#isHeld) this.boot()
    })
  }
}
