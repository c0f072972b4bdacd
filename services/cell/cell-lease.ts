// The right of a process to be its cell. It takes a boot number, announces itself under it, and renews that some times in
// the time of a lease. Every call looks at the clocks first (`mayAnswer`), because a process that was stopped may find a call
// before any of its timers when it wakes. States and what they mean: lease-state.ts.

import { Bell } from '../../cells/activities/bell.ts'
import type { CellName } from '../../cells/model/placement.ts'
import type { Clock } from '../../cells/ports/clock.ts'
import type { ControlStore } from '../../cells/ports/control-store.ts'
import { nextBoot } from '../controller/boots.ts'
import type { Logger } from '../runtime/log.ts'
import {
  announcementKey,
  type CellAnnouncement,
  decodeAnnouncement,
  encodeAnnouncement,
} from './cell-announcement.ts'
import {
  type LeaseEvent,
  type LeaseState,
  mayAnswer,
  nextLeaseState,
  type Successor,
} from './lease-state.ts'

export type CellLeaseParts = {
  readonly control: ControlStore
  readonly clock: Clock
  /** Milliseconds that never step back. */
  readonly monotonicMs: () => number
  readonly log: Logger
  readonly leaseMs: number
  readonly cell: CellName
  /** Where this process is reached, and what it is. */
  readonly address: () => string
  readonly version: string
  /** What changes. */
  readonly about: () => Pick<
    CellAnnouncement,
    'state' | 'detail' | 'startedAtMs' | 'loading' | 'memoryBytes' | 'readP99Ms' | 'lagMs'
  >
  /** The cell must not answer before it reached the log's end as read from now on. */
  readonly suspend: () => void
}

/** Another process of this cell has a greater boot. */
export class CellTakenOver extends Error {
  readonly code = 'CELL_TAKEN_OVER'
  override readonly name = 'CellTakenOver'

  constructor(cell: CellName, { boot, address }: Successor) {
    super(`${cell} was taken over by boot ${boot} at ${address}: this process has to end`)
  }
}

const TICKS_IN_LEASE = 10
const RENEWALS_IN_LEASE = 3
const TRIES_MAX = 100

export class CellLease {
  /** Resolves when another process has taken over. */
  readonly takenOver: Promise<CellTakenOver>
  readonly #parts: CellLeaseParts
  readonly #changed = new Bell()
  #state: LeaseState = { kind: 'held' }
  #boot = 0
  #revision = 0
  /** When the clocks were last looked at, by both. */
  #seen: { readonly monotonicMs: number; readonly wallMs: number }
  /** Since when the lease counts, by the monotonic clock: the begin of the renewal that succeeded last, or of a new proof. */
  #countsFromMs: number
  #askedAtMs = 0
  #stillness = 0
  #renewing: Promise<void> | undefined
  #end: (error: CellTakenOver) => void = () => {}

  constructor(parts: CellLeaseParts) {
    this.#parts = parts
    this.#seen = this.#clocks()
    this.#countsFromMs = this.#seen.monotonicMs
    this.takenOver = new Promise((resolve) => {
      this.#end = resolve
    })
  }

  get boot(): number {
    return this.#boot
  }

  get state(): LeaseState['kind'] {
    return this.#state.kind
  }

  /** A boot number for a start of the cell in this process, announced. Throws CellTakenOver. */
  async nextBoot(): Promise<number> {
    // A process that was taken over must not take the cell back by starting its cell anew.
    if (this.#boot > 0) await this.#announce(this.#boot)
    const boot = await nextBoot(this.#parts.control)
    // Before the first announcement there is no lease to lose.
    if (this.#boot === 0) this.#seen = this.#clocks()
    await this.#announce(boot)
    return this.#boot
  }

  /** Renews in time until the signal aborts. `failed` is told of a control store that does not answer. */
  async keep(signal: AbortSignal, failed: (error: unknown) => void): Promise<void> {
    const { clock, leaseMs } = this.#parts
    while (!signal.aborted && this.#state.kind !== 'superseded') {
      this.#look()
      const isDue = this.#seen.monotonicMs - this.#askedAtMs >= leaseMs / RENEWALS_IN_LEASE
      const isAnnounced = this.#boot > 0
      if (isAnnounced && (isDue || this.#state.kind === 'unconfirmed')) this.#renew(failed)
      await clock.sleep(leaseMs / TICKS_IN_LEASE, signal)
    }
    await this.#renewing
  }

  /** A number that stays the same as long as the process did not stand still; undefined: it may not answer now. */
  get term(): number | undefined {
    this.#look()
    return mayAnswer(this.#state) ? this.#stillness : undefined
  }

  /** Resolves when the process may answer, or when the signal aborts. */
  async confirmed(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.term === undefined) await this.#changed.wait(signal)
  }

  /** Says that the process is gone for good, so that nobody waits for its lease to end. */
  async withdraw(): Promise<void> {
    if (this.#state.kind === 'superseded' || this.#boot === 0) return
    await this.#renewing
    const boot = this.#boot
    const { clock } = this.#parts
    try {
      await this.#replace(boot, () => {
        const last = this.#announcement(boot)
        return { ...last, state: 'stopped' as const, leaseEndsAtMs: clock.nowMs() }
      })
    } catch (error) {
      if (!(error instanceof CellTakenOver)) throw error
    }
  }

  /** Notices a process that stood still, or a clock that jumped, or a lease that could not be renewed in time. */
  #look(): void {
    if (this.#boot === 0) return
    const { leaseMs } = this.#parts
    const before = this.#seen
    const now = this.#clocks()
    this.#seen = now
    const passedMs = now.monotonicMs - before.monotonicMs
    const jumpedMs = Math.abs(now.wallMs - before.wallMs)
    if (Math.max(passedMs, jumpedMs) > leaseMs / 2) {
      this.#stillness++
      this.#countsFromMs = now.monotonicMs
      this.#parts.log.warn({ passedMs, jumpedMs }, 'stood still, or a clock jumped')
      this.#take({ kind: 'stood-still' })
    } else if (now.monotonicMs - this.#countsFromMs > leaseMs) {
      this.#countsFromMs = now.monotonicMs
      this.#take({ kind: 'overdue' })
    }
  }

  #clocks() {
    return { monotonicMs: this.#parts.monotonicMs(), wallMs: this.#parts.clock.nowMs() }
  }

  /** One at a time; a control store that hangs does not keep the clocks from being looked at. */
  #renew(failed: (error: unknown) => void): void {
    if (this.#renewing !== undefined) return
    this.#askedAtMs = this.#seen.monotonicMs
    this.#renewing = this.#announce(this.#boot)
      .catch((error: unknown) => {
        if (!(error instanceof CellTakenOver)) failed(error)
      })
      .finally(() => {
        this.#renewing = undefined
      })
  }

  /** Throws CellTakenOver. */
  async #announce(boot: number): Promise<void> {
    let stillness = 0
    let begunMs = 0
    await this.#replace(boot, () => {
      stillness = this.#stillness
      begunMs = this.#parts.monotonicMs()
      return this.#announcement(boot)
    })
    this.#boot = boot
    // What was confirmed before the process stood still says nothing of what happened meanwhile.
    if (stillness === this.#stillness) this.#renewed(begunMs)
  }

  /**
   * Writes an announcement unless a greater boot has. The revision may be another than this process knows: a write that failed
   * may have happened. Throws CellTakenOver.
   */
  async #replace(boot: number, next: () => CellAnnouncement): Promise<void> {
    const { control, cell } = this.#parts
    const key = announcementKey(cell)
    if (this.#state.kind === 'superseded') throw new CellTakenOver(cell, this.#state.by)
    for (let tried = 0; tried < TRIES_MAX; tried++) {
      const revision = await control.compareAndSet(key, this.#revision, encodeAnnouncement(next()))
      if (revision !== undefined) {
        this.#revision = revision
        return
      }
      const found = await control.get(key)
      const other = found === undefined ? undefined : decodeAnnouncement(found.value)
      if (other !== undefined && other.boot > boot) throw this.#superseded(other)
      this.#revision = found?.revision ?? 0
    }
    throw new Error(
      `no announcement of ${cell} after ${TRIES_MAX} tries: others change it all the time`,
    )
  }

  #announcement(boot: number): CellAnnouncement {
    const { cell, address, version, about, clock, leaseMs } = this.#parts
    const leaseEndsAtMs = clock.nowMs() + leaseMs
    const { state, detail, startedAtMs, loading, memoryBytes, readP99Ms, lagMs } = about()
    const now = { state, detail, startedAtMs, loading, memoryBytes, readP99Ms, lagMs }
    return { cell, address: address(), boot, leaseEndsAtMs, leaseMs, version, ...now }
  }

  #renewed(begunMs: number): void {
    this.#countsFromMs = begunMs
    this.#take({ kind: 'renewed' })
  }

  #superseded(by: Successor): CellTakenOver {
    const error = new CellTakenOver(this.#parts.cell, by)
    this.#take({ kind: 'superseded', by })
    this.#end(error)
    return error
  }

  #take(event: LeaseEvent): void {
    const before = this.#state.kind
    const { state, suspend } = nextLeaseState(this.#state, event)
    this.#state = state
    if (suspend) this.#parts.suspend()
    if (state.kind !== before) {
      const { log } = this.#parts
      const facts = { boot: this.#boot, lease: state.kind, was: before }
      if (state.kind === 'held') log.info(facts, 'lease')
      else log.warn(facts, 'lease')
    }
    this.#changed.ring()
  }
}
