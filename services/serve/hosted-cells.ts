// The cells of this process: those that the placement names, started as it names them. One that was added and finds that the
// firehose no longer holds everything is filled from another one first.

import { Cell } from '../../cells/activities/cell.ts'
import { NothingToRebuild, Rebuild } from '../../cells/activities/rebuild.ts'
import type { CellLimits } from '../../cells/model/cell-limits.ts'
import { type CellName, ownersOf, type Placement } from '../../cells/model/placement.ts'
import type { BodyCache } from '../../cells/ports/body-cache.ts'
import type { CellClient, Loading } from '../../cells/ports/cell-client.ts'
import type { CellStore } from '../../cells/ports/cell-store.ts'
import type { Clock } from '../../cells/ports/clock.ts'
import type { ControlStore } from '../../cells/ports/control-store.ts'
import { type Firehose, FirehoseGap } from '../../cells/ports/firehose.ts'
import type { Moving } from '../../cells/ports/placements.ts'
import { CellHost } from '../cell/cell-host.ts'
import type { CellReport } from '../cell/cell-report.ts'
import { nextBoot } from '../controller/boots.ts'
import { movingBy } from '../router/control-placements.ts'
import type { Task } from '../runtime/in-background.ts'
import type { Logger } from '../runtime/log.ts'
import type { Metrics } from '../runtime/metrics.ts'
import { packageVersion } from '../runtime/version.ts'

/** Closed once its cell has stopped. */
export type HostedStore = CellStore & { readonly close?: () => Promise<void> }
export type HostedParts = {
  readonly clock: Clock
  readonly monotonicMs: () => number
  readonly control: ControlStore
  readonly firehose: Firehose
  readonly openStore: (cell: CellName) => Promise<HostedStore>
  readonly openCache: (cell: CellName) => BodyCache
  readonly limits: CellLimits
  readonly metrics: Metrics
  readonly log: Logger
}

type Filling = Pick<CellReport, 'detail' | 'loading'>

const LOOK_MS = 100

export class HostedCells {
  readonly #parts: HostedParts
  readonly #moving: Moving
  readonly #stores = new Map<CellName, HostedStore>()
  readonly #hosts = new Map<CellName, CellHost>()
  /** Cells that were added and lack what the firehose has lost: how far they are, for people. */
  readonly #filling = new Map<CellName, Filling>()
  readonly #stopping = new AbortController()

  constructor(parts: HostedParts) {
    this.#parts = parts
    this.#moving = movingBy(parts.control, {
      openSource: async (cell) => this.#storeOf(cell),
      busynessOf: async (cell) => this.client(cell)?.status(),
    })
  }

  client(cell: CellName): CellClient | undefined {
    return this.#hosts.get(cell)?.client
  }

  reports(): CellReport[] {
    const filling = [...this.#filling].filter(([cell]) => !this.#hosts.has(cell))
    return [
      ...[...this.#hosts.values()].map((host) => host.report()),
      ...filling.map(([cell, how]) => fillingReport(cell, how)),
    ]
  }

  /** Whether all cells serve but those that are filled: how long that takes is not known. */
  get isWhole(): boolean {
    return [...this.#hosts.values()].every((host) => host.report().state === 'serving')
  }

  /** Makes the cells of the placement; they load when they are started. */
  async open(placement: Placement): Promise<void> {
    for (const cell of placement.cells) await this.#open(cell, placement)
  }

  /**
   * Rejects with what stopped the first of them when none serves; one that does not serve is tried again. A new one that was not filled to
   * its end is added anew.
   */
  async start(placement: Placement): Promise<void> {
    const hosts = [...this.#hosts]
    const starts = await Promise.allSettled(hosts.map(([, host]) => host.start()))
    const first = starts.find((start) => start.status === 'rejected')
    if (first !== undefined && starts.every(({ status }) => status === 'rejected'))
      throw first.reason
    const owners = ownersOf(placement)
    for (const [i, [cell, host]] of hosts.entries()) {
      const start = starts[i]
      if (start?.status !== 'rejected') continue
      const isNew = start.reason instanceof FirehoseGap && !owners.includes(cell)
      if (isNew) this.#hosts.delete(cell)
      else host.retry(start.reason)
    }
  }

  isDead(cell: CellName): boolean {
    return this.#hosts.get(cell)?.isDead === true
  }

  /** Stops the cells, then closes their stores. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await Promise.all([...this.#hosts.values()].map((host) => host.stop()))
    await Promise.all([...this.#stores.values()].map(async (store) => store.close?.()))
  }

  /** For `inBackground`: starts cells that are added, and stops those that are removed. */
  following(placement: () => Placement): Task {
    return async (signal, failed) => {
      while (!signal.aborted) {
        const now = placement()
        const added = now.cells.filter((cell) => !this.#hosts.has(cell))
        for (const cell of added) await this.#add(cell, now).catch(failed)
        for (const cell of this.#filling.keys()) {
          if (!now.cells.includes(cell)) this.#filling.delete(cell)
        }
        const removed = [...this.#hosts].filter(([cell]) => !now.cells.includes(cell))
        for (const [cell, host] of removed) {
          this.#hosts.delete(cell)
          await host.stop().catch(failed)
        }
        await this.#parts.clock.sleep(LOOK_MS, signal)
      }
    }
  }

  async #add(cell: CellName, placement: Placement): Promise<void> {
    const host = await this.#open(cell, placement)
    this.#parts.log.warn({ cell }, 'cell was added')
    await host.start().catch(async (error: unknown) => {
      this.#hosts.delete(cell)
      if (!(error instanceof FirehoseGap)) throw error
      await this.#fill(cell, placement)
    })
  }

  /** Posts as of another cell's newest checkpoint; the cell is started when it is looked at next. */
  async #fill(name: CellName, placement: Placement): Promise<void> {
    const { firehose, clock, control, limits, log } = this.#parts
    const store = this.#storeOf(name)
    const [donor] = ownersOf(placement).filter((cell) => cell !== name)
    if (donor === undefined) throw new Error(`there is no cell to fill ${name} from`)
    const noteDetail = (detail: string) => this.#filling.set(name, { detail, loading: undefined })
    const noteProgress = (loading: Loading) => {
      this.#filling.set(name, { detail: `is filled with the posts of ${donor}`, loading })
    }
    noteDetail(`is filled with the posts of ${donor}`)
    const ports = { firehose, store, donor: this.#storeOf(donor), clock }
    const boot = await nextBoot(control)
    const { signal } = this.#stopping
    log.warn({ cell: name, donor }, 'cell is filled from another one')
    try {
      const options = { name, boot, placement, limits, signal, onProgress: noteProgress }
      await new Rebuild(ports, options).run()
    } catch (error) {
      if (error instanceof NothingToRebuild) return
      const why = error instanceof Error ? error.message : String(error)
      noteDetail(`could not be filled with the posts of ${donor}, is tried again: ${why}`)
      throw error
    }
    noteDetail(`was filled with the posts of ${donor}, and starts`)
  }

  async #open(name: CellName, placement: Placement): Promise<CellHost> {
    const { clock, control, firehose, openStore, openCache, limits, metrics, log } = this.#parts
    const store = this.#stores.get(name) ?? (await openStore(name))
    this.#stores.set(name, store)
    const ports = {
      firehose,
      store,
      cache: openCache(name),
      clock,
      monotonicMs: this.#parts.monotonicMs,
      moving: this.#moving,
    }
    const host = new CellHost(name, {
      clock,
      log: log.child({ cell: name }),
      version: packageVersion(),
      nextBoot: () => nextBoot(control),
      create: (boot) => new Cell(ports, { name, boot, placement, limits }),
      restarted: () => metrics.cellRestarts.inc({ cell: name }),
    })
    this.#hosts.set(name, host)
    return host
  }

  #storeOf(cell: CellName): CellStore {
    const store = this.#stores.get(cell)
    if (store === undefined) throw new Error(`there is no cell ${cell} in this process`)
    return store
  }
}

function fillingReport(cell: CellName, how: Filling): CellReport {
  const unknown = { boot: 0, startedAtMs: 0, memoryBytes: undefined, client: undefined }
  return { cell, state: 'loading', ...how, version: packageVersion(), ...unknown }
}
