// Keeps what the placement says: takes slots in that move here, prepares those that move away, and drops what is nobody's business
// here any more. It does what the newest placement says, whatever it has missed: whoever drives a move only changes the placement and
// looks at the reports of cells.
//
//     move from here, preparing     its inboxes are written, a checkpoint is taken: prepared
//     move to here, copying         an arrival runs, again after a failure, until it is durable: arrived
//     neither owned nor moving      forgotten -> its reads end -> a checkpoint without it -> its rows are dropped

import {
  type Move,
  type Placement,
  type SlotRun,
  slotsIn,
  slotsThere,
  type SlotTerm,
} from '../model/placement.ts'
import { termOf } from '../model/move.ts'
import { hasReached } from '../model/position.ts'
import type { SlotsReport } from '../ports/cell-client.ts'
import type { Moving } from '../ports/placements.ts'
import { CellSuperseded } from './claim.ts'
import { Arrival, type ArrivalParts } from './arrival.ts'
import { isNamed, isOver, LeftBehind, leftovers } from './broken-off.ts'
import { assertKept, SlotsMissing } from './kept-slots.ts'
import type { Slot } from './cell-state.ts'
import type { Delivery } from './delivery.ts'
import { Stopped } from './persist.ts'
import type { Watchers } from './watchers.ts'

type Running = {
  readonly ending: AbortController
  /** Undefined before it has begun, and after it has failed. */
  arrival: Arrival | undefined
}
export type KeeperReport = Pick<
  SlotsReport,
  'prepared' | 'arrived' | 'copying' | 'retained' | 'failures'
>

const RETRY_MS = 1_000
const RETRY_MAX_MS = 60_000
const DROPS_AT_ONCE = 8

export class SlotKeeper {
  readonly #parts: ArrivalParts
  readonly #delivery: Delivery
  readonly #watchers: Watchers
  readonly #moving: Moving
  readonly #signal: AbortSignal
  readonly #arrivals = new Map<number, Running>()
  readonly #prepared = new Set<number>()
  readonly #preparing = new Set<number>()
  /** Rows of copies that were broken off, by move; they are dropped when it is over. */
  readonly #left = new LeftBehind()
  /** Terms of arrivals that failed when their slots were attached: others have written there. */
  readonly #burnt = new Set<number>()
  readonly #failures = new Map<number, { readonly times: number; readonly detail: string }>()
  /** Broken assumptions of what runs in the background. */
  #fail: (error: unknown) => void = () => {}
  readonly #jobs = new Set<Promise<void>>()

  constructor(
    parts: ArrivalParts,
    options: { delivery: Delivery; watchers: Watchers; moving: Moving; signal: AbortSignal },
  ) {
    this.#parts = parts
    this.#delivery = options.delivery
    this.#watchers = options.watchers
    this.#moving = options.moving
    this.#signal = options.signal
  }

  get report(): KeeperReport {
    const { state } = this.#parts
    const { placement, cell } = state
    const arrived = placement.moves.flatMap((move) => {
      const term = move.to === cell && this.#isReached(move) ? this.#termHere(move) : undefined
      return term === undefined ? [] : [{ move: move.id, term }]
    })
    const retained = placement.moves.filter((move) => this.#isRetained(move)).map(({ id }) => id)
    const failures = [...this.#failures].map(([move, { detail }]) => ({ move, detail }))
    const copying = [...this.#arrivals].flatMap(([move, { arrival, ending }]) =>
      arrival === undefined || ending.signal.aborted ? [] : [{ move, ...arrival.progress }],
    )
    return { prepared: [...this.#prepared], arrived, copying, retained, failures }
  }

  /** Does what placements say until the cell stops; rejects when something that runs in the background is broken. */
  async run(): Promise<void> {
    const broken = new Promise<never>((_, reject) => {
      this.#fail = reject
    })
    broken.catch(() => undefined)
    const watching = this.#watch()
    const keeping = this.#keep()
    // Looked at below, or when the cell has stopped.
    for (const loop of [watching, keeping]) loop.catch(() => undefined)
    await Promise.race([Promise.all([watching, keeping]), broken])
    for (const { ending } of this.#arrivals.values()) ending.abort()
    await Promise.allSettled(this.#jobs)
  }

  /** Learns placements; a control store that fails is asked again. */
  async #watch(): Promise<void> {
    const { placements } = this.#moving
    const { clock, state } = this.#parts
    while (!this.#signal.aborted) {
      const ending = new AbortController()
      const signal = AbortSignal.any([this.#signal, ending.signal])
      try {
        // Watched before it is read: a change between the two would be missed.
        const changes = placements.watch(signal)
        await this.#learn((await placements.read()).placement)
        for await (const placement of changes) await this.#learn(placement)
      } catch (error) {
        if (isBroken(error)) throw error
      } finally {
        ending.abort()
      }
      await clock.sleep(RETRY_MS, this.#signal)
    }
    state.replaced.ring()
  }

  async #learn(placement: Placement): Promise<void> {
    const { state, claim, clock } = this.#parts
    const standbys = [...state.slots.values()].filter(({ isStandby }) => isStandby)
    const isNew = state.place(placement)
    this.#watchers.placed()
    if (!isNew) return
    for (const slot of standbys) {
      if (!slot.isOwned) continue
      // Their rows do not say when readers were seen by the cell that had them.
      for (const reader of slot.readers.values()) state.noteSeen(reader, clock.nowMs())
    }
    const elsewhere = new Set(state.complete.filter(({ isOwned }) => !isOwned))
    if (elsewhere.size > 0) this.#watchers.moved(elsewhere)
    await assertKept(state, claim)
  }

  async #keep(): Promise<void> {
    const { state } = this.#parts
    await this.#dropLeftovers()
    while (!this.#signal.aborted) {
      this.#abortOld()
      this.#dropUnwanted()
      this.#dropOver()
      for (const move of state.placement.moves) {
        if (move.from === state.cell && move.phase.kind === 'preparing') this.#prepare(move)
        if (move.to === state.cell && move.phase.kind === 'copying' && !move.isPaused) {
          this.#takeIn(move)
        }
      }
      await state.replaced.wait(this.#signal)
    }
  }

  #abortOld(): void {
    const { moves } = this.#parts.state.placement
    for (const [id, { ending }] of this.#arrivals) {
      if (!moves.some((move) => move.id === id && !move.isPaused)) ending.abort()
    }
    for (const id of this.#prepared) {
      if (!moves.some((move) => move.id === id)) this.#prepared.delete(id)
    }
    for (const id of this.#failures.keys()) {
      if (!moves.some((move) => move.id === id)) this.#failures.delete(id)
    }
  }

  #prepare(move: Move): void {
    if (this.#prepared.has(move.id) || this.#preparing.has(move.id)) return
    const { state, checkpointer } = this.#parts
    this.#preparing.add(move.id)
    void this.#inBackground(
      async () => {
        const slots = slotsIn(move.slots).flatMap((slot) => state.slots.get(slot) ?? [])
        // A standby takes no inboxes.
        if (!move.isStandby) await this.#delivery.write(slots)
        await checkpointer.take()
        this.#prepared.add(move.id)
      },
      () => this.#preparing.delete(move.id),
    )
  }

  #takeIn(move: Move): void {
    if (this.#arrivals.has(move.id) || this.#termHere(move) !== undefined) return
    const { state } = this.#parts
    // An earlier stay is still being forgotten.
    if (slotsThere(move).some((slot) => state.slots.has(slot))) return
    if (state.pinnedIn(move.slots).some((user) => state.slotOfUser(user) !== undefined)) return
    const ending = new AbortController()
    const running: Running = { ending, arrival: undefined }
    this.#arrivals.set(move.id, running)
    void this.#inBackground(
      () => this.#arrive(move, running),
      () => {
        this.#arrivals.delete(move.id)
        state.replaced.ring()
      },
    )
  }

  async #arrive(move: Move, running: Running): Promise<void> {
    const { clock } = this.#parts
    const { signal } = running.ending
    try {
      const source = await this.#moving.openSource(move.from)
      const nextTerm = () => this.#moving.nextTerm()
      const busyness = () => this.#moving.busynessOf(move.from)
      const isUsable = (term: number) => !this.#burnt.has(term)
      const options = { move, source, nextTerm, busyness, isUsable, signal }
      running.arrival = new Arrival(this.#parts, options)
      await running.arrival.run()
      this.#failures.delete(move.id)
      this.#left.keep(move.id, ({ term }) => term !== running.arrival?.term)
    } catch (error) {
      if (isBroken(error) || this.#signal.aborted) throw error
      const times = (this.#failures.get(move.id)?.times ?? 0) + 1
      if (!signal.aborted) this.#failures.set(move.id, { times, detail: String(error) })
      await this.#giveUp(move, running.arrival)
      running.arrival = undefined
      await clock.sleep(Math.min(RETRY_MAX_MS, RETRY_MS * 2 ** times), signal)
    }
  }

  /** Forgets what an arrival brought. Its rows stay as long as the move may go on with them. */
  async #giveUp(move: Move, arrival: Arrival | undefined): Promise<void> {
    const term = arrival?.term
    if (arrival === undefined || term === undefined) return
    if (arrival.slots.some(({ isOwned }) => isOwned)) return
    const { state, checkpointer } = this.#parts
    for (const slot of arrival.slots) state.forget(slot)
    this.#left.add(
      move.id,
      slotsThere(move).map((slot) => ({ slot, term })),
    )
    if (!arrival.isAttached) return
    this.#burnt.add(term)
    // The newest one may name what is dropped one day.
    await checkpointer.take()
  }

  /**
   * What copies that were broken off have left, once their moves are over or a later copy has begun. A successor of this process may have
   * gone on with them: never what the placement names, and only after the claim was confirmed.
   */
  #dropOver(): void {
    const { state } = this.#parts
    for (const [move, stays] of this.#left.byMove) {
      if (this.#arrivals.has(move)) continue
      const hasEnded = isOver(state.placement, move)
      const here = ({ slot }: SlotTerm): number => state.slots.get(slot)?.term ?? 0
      const latest = Math.max(...stays.map((stay) => Math.max(stay.term, here(stay))))
      const useless = stays.filter(
        (stay) =>
          (hasEnded || stay.term < latest) &&
          here(stay) !== stay.term &&
          !isNamed(state.placement, state.cell, stay),
      )
      const dropped = new Set(useless)
      this.#left.keep(move, (stay) => !hasEnded && !dropped.has(stay))
      if (useless.length === 0) continue
      void this.#inBackground(async () => {
        await this.#parts.claim.confirm()
        await this.#dropRows(useless)
      })
    }
  }

  /** Whether everything that the copies may hold is applied: reads wait until then, so nobody is sent here before. */
  #isReached(move: Move): boolean {
    const { slots, position } = this.#parts.state
    return slotsThere(move).every((at) => hasReached(position, slots.get(at)?.reflects ?? []))
  }

  /** The term under which all slots of a move are here, durably. */
  #termHere(move: Move): number | undefined {
    const { state } = this.#parts
    let term: number | undefined
    for (const at of slotsThere(move)) {
      const slot = state.slots.get(at)
      if (slot?.move !== move.id || !slot.isComplete || !slot.isDurable) return undefined
      term = slot.term
    }
    return term
  }

  #isRetained({ phase }: Move): boolean {
    if (phase.kind !== 'retiring') return false
    const { state } = this.#parts
    // Whoever took over may know what a cell that was rebuilt has missed.
    if (phase.isTakeover && state.rebuilt !== undefined) return false
    return phase.left.every(
      (range) =>
        range.cell === state.cell &&
        slotsIn([range]).every((slot) => {
          const kept = state.slots.get(slot)
          return kept?.term === range.term && kept.isDurable
        }),
    )
  }

  #isWanted(slot: Slot): boolean {
    const { state } = this.#parts
    if (slot.isOwned) return true
    return state.placement.moves.some((move) => {
      const { phase } = move
      if (phase.kind === 'retiring') {
        return phase.left.some(
          (range) => range.cell === state.cell && range.term === slot.term && isIn(slot, [range]),
        )
      }
      if (move.to !== state.cell || slot.move !== move.id) return false
      const isPinned = move.pins.some((pin) => pin.slot === slot.slot)
      if (!isPinned && !isIn(slot, move.slots)) return false
      return phase.kind === 'copying' || termOf(move) === slot.term
    })
  }

  /** Those on their way are given up by their arrival. */
  #dropUnwanted(): void {
    const { state } = this.#parts
    const arriving = new Set(this.#arrivals.keys())
    const unwanted = [...state.slots.values()].filter(
      (slot) => !this.#isWanted(slot) && !arriving.has(slot.move),
    )
    if (unwanted.length === 0) return
    for (const slot of unwanted) state.forget(slot)
    void this.#inBackground(async () => {
      await Promise.all(unwanted.map((slot) => this.#readsEnded(slot)))
      await this.#parts.checkpointer.take()
      await this.#dropRows(unwanted)
    })
  }

  async #readsEnded(slot: Slot): Promise<void> {
    while (slot.reads > 0) {
      await this.#parts.state.replaced.wait(this.#signal)
      if (this.#signal.aborted) throw new Stopped('the cell is stopping')
    }
  }

  /** Stays that the cell does not keep: of arrivals that were broken off, and of slots whose rows were dropped by half. */
  async #dropLeftovers(): Promise<void> {
    const { state, store, persistence, claim } = this.#parts
    const stays = await persistence.untilDurable(() => store.readers.reach())
    // A successor may be taking slots in, under terms of its own.
    await claim.confirm()
    const isKept = (stay: SlotTerm) =>
      state.slots.get(stay.slot)?.term === stay.term || isNamed(state.placement, state.cell, stay)
    const { ofMoves, useless } = leftovers(stays, state.placement, isKept)
    for (const [move, ofMove] of ofMoves) this.#left.add(move, ofMove)
    for (const ofTerm of useless) await this.#dropRows(ofTerm)
  }

  async #dropRows(stays: readonly SlotTerm[]): Promise<void> {
    const { store, persistence } = this.#parts
    for (let from = 0; from < stays.length; from += DROPS_AT_ONCE) {
      await Promise.all(
        stays
          .slice(from, from + DROPS_AT_ONCE)
          .map((stay) => persistence.untilDurable(() => store.readers.dropTerm(stay))),
      )
    }
  }

  #inBackground(work: () => Promise<void>, ended: () => void = () => {}): Promise<void> {
    const job = work()
      .catch((error: unknown) => {
        if (!(error instanceof Stopped) && !this.#signal.aborted) this.#fail(error)
      })
      .finally(() => {
        ended()
        this.#jobs.delete(job)
      })
    this.#jobs.add(job)
    return job
  }
}

function isIn({ slot }: Slot, runs: readonly SlotRun[]): boolean {
  return runs.some(({ first, last }) => first <= slot && slot <= last)
}

/** Not of the control store: nothing gets better by asking it again. */
function isBroken(error: unknown): boolean {
  return (
    error instanceof TypeError ||
    error instanceof RangeError ||
    error instanceof SlotsMissing ||
    error instanceof CellSuperseded
  )
}
