// The placement in a simulated control store, and what a cell's process sees of it: late, not at all while the control store is down,
// and with the outcome of a change left open when a call fails.

import type { CellName, Placement } from '../../cells/model/placement.ts'
import type { Moving, PlacementFound, Placements } from '../../cells/ports/placements.ts'
import type { CellProcess } from './cell-process.ts'
import type { Dice } from './random.ts'
import type { Scheduler } from './scheduler.ts'

export class ControlDown extends Error {
  readonly code = 'INJECTED_FAULT'
  override readonly name = 'ControlDown'
}

export class PlacementStore {
  #placement: Placement
  #revision = 1
  #terms = 1
  readonly #listeners = new Set<(placement: Placement) => void>()
  isDown = false
  readonly #history: Placement[]
  /** Slots that were ever in a move. */
  readonly touched = new Set<number>()

  constructor(placement: Placement) {
    this.#placement = placement
    this.#history = [placement]
  }

  get placement(): Placement {
    return this.#placement
  }

  get found(): PlacementFound {
    return { placement: this.#placement, revision: this.#revision }
  }

  replace(revision: number, placement: Placement): boolean {
    if (revision !== this.#revision) return false
    this.#placement = placement
    this.#revision++
    this.#history.push(placement)
    for (const { slots } of placement.moves) {
      for (const { first, last } of slots) {
        for (let slot = first; slot <= last; slot++) this.touched.add(slot)
      }
    }
    for (const listener of this.#listeners) listener(placement)
    return true
  }

  /** The placement of an epoch. */
  at(epoch: number): Placement | undefined {
    return this.#history.find((placement) => placement.epoch === epoch)
  }

  /** Those of the epochs from one to another, both included. */
  between(from: number, to: number): readonly Placement[] {
    return this.#history.filter(({ epoch }) => from <= epoch && epoch <= to)
  }

  nextTerm(): number {
    return ++this.#terms
  }

  onChange(listener: (placement: Placement) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}

/** What one process of a cell sees. */
export function movingOf(
  process: CellProcess,
  store: PlacementStore,
  openSource: (cell: CellName) => Awaited<ReturnType<Moving['openSource']>>,
): Moving {
  const rejects = () => store.isDown
  return {
    placements: {
      read: async () => {
        const found = await process.read('placements.read', () => store.found, rejects)
        process.knownEpoch = Math.max(process.knownEpoch, found.placement.epoch)
        return found
      },
      watch(signal) {
        const told = changes(process, store, signal)
        return { [Symbol.asyncIterator]: () => told }
      },
    },
    nextTerm: () => process.read('placements.nextTerm', () => store.nextTerm(), rejects),
    openSource: async (cell) => openSource(cell),
    busynessOf: async () => {
      const { weather } = process
      return {
        readP99Ms: weather.delayUs('read') / 1_000,
        lagMs: weather.delayUs('log.follow') / 1_000,
      }
    },
  }
}

function changes(
  process: CellProcess,
  store: PlacementStore,
  signal: AbortSignal,
): AsyncIterator<Placement> {
  const state = { isOver: false }
  const queue: Placement[] = []
  let waiting: (() => void) | undefined
  const wake = (): void => {
    waiting?.()
    waiting = undefined
  }
  const aborted = (): void => process.later('watch ends', 0, end)
  const end = (): void => {
    state.isOver = true
    leave()
    signal.removeEventListener('abort', aborted)
    wake()
  }
  const leave = store.onChange((placement) => {
    process.later('placement changed', process.weather.delayUs('placement changed'), () => {
      // A watch on a store that is down breaks, and is begun anew.
      if (store.isDown) end()
      else {
        queue.push(placement)
      }
      wake()
    })
  })
  signal.addEventListener('abort', aborted, { once: true })
  void process.died.then(leave)
  // A signal made of others is kept for as long as it is listened to.
  void process.died.then(() => signal.removeEventListener('abort', aborted))
  return {
    async next() {
      while (queue.length === 0 && !state.isOver) {
        await new Promise<void>((resolve) => {
          waiting = resolve
        })
      }
      const value = queue.shift()
      if (value !== undefined) process.knownEpoch = Math.max(process.knownEpoch, value.epoch)
      return value === undefined ? { done: true, value: undefined } : { done: false, value }
    },
  }
}

/** The control store as somebody uses it: each of these is done at one moment. */
export type ControlView = {
  readonly isDown: () => boolean
  readonly find: () => PlacementFound
  readonly replace: (revision: number, placement: Placement) => boolean
}

/** What a process outside of cells sees: it may stand still between any two calls. */
export function placementsFor(
  store: ControlView,
  parts: { readonly scheduler: Scheduler; readonly dice: Dice; readonly name: string },
): Pick<Placements, 'read' | 'replace'> {
  const { scheduler, dice, name } = parts
  const call = <T>(op: string, run: () => T): Promise<T> =>
    new Promise((resolve, reject) => {
      const isLost = dice.chance(0.05)
      const isLate = dice.chance(0.1)
      const delayUs = isLate ? dice.below(60_000_000) : dice.between(100, 50_000)
      scheduler.after(delayUs, `${name} ${op}`, () => {
        if (store.isDown()) return reject(new ControlDown(`${op}: the control store is down`))
        const value = run()
        if (isLost) reject(new ControlDown(`${op}: the answer was lost`))
        else resolve(value)
      })
    })
  return {
    read: () => call('placements.read', store.find),
    replace: (revision, placement) =>
      call('placements.replace', () => store.replace(revision, placement)),
  }
}
