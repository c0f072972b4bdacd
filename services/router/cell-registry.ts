// Where the cells are, as they say themselves in the control store. What was learned is kept while the control store is away:
// a cell that is asked in vain says so by itself.

import type { CellName } from '../../cells/model/placement.ts'
import type { CellClient } from '../../cells/ports/cell-client.ts'
import type { Clock } from '../../cells/ports/clock.ts'
import type { ControlStore } from '../../cells/ports/control-store.ts'
import {
  announcementKey,
  type CellAnnouncement,
  decodeAnnouncement,
} from '../cell/cell-announcement.ts'
import type { CellReport } from '../cell/cell-report.ts'
import type { Connect } from './router.ts'

const WATCH_RETRY_MS = 500
/** How often it looks for cells that were added. */
const CELLS_LOOK_MS = 250

export class CellRegistry {
  readonly #control: ControlStore
  readonly #clock: Clock
  readonly #announcements = new Map<CellName, CellAnnouncement>()

  constructor(parts: { readonly control: ControlStore; readonly clock: Clock }) {
    this.#control = parts.control
    this.#clock = parts.clock
  }

  /** host:port where the cell said last that it is; undefined when it never did, or said that it stops for good. */
  addressOf(cell: CellName): string | undefined {
    const announcement = this.#announcements.get(cell)
    return announcement?.state === 'stopped' ? undefined : announcement?.address
  }

  /** Learns what there is now, once: so that a process which is ready knows where its cells are. */
  async load(cells: readonly CellName[]): Promise<void> {
    await Promise.all(
      cells.map(async (cell) => {
        const entry = await this.#control.get(announcementKey(cell))
        if (entry !== undefined) this.#take(cell, entry.value)
      }),
    )
  }

  /** Keeps what is known of all cells up to date, also of those that are added, until the signal aborts. */
  async followAll(
    cells: () => readonly CellName[],
    signal: AbortSignal,
    failed: (error: unknown) => void,
  ): Promise<void> {
    const followed = new Map<CellName, Promise<void>>()
    while (!signal.aborted) {
      for (const cell of cells()) {
        if (!followed.has(cell)) followed.set(cell, this.follow(cell, signal, failed))
      }
      await this.#clock.sleep(CELLS_LOOK_MS, signal)
    }
    await Promise.all(followed.values())
  }

  /** Keeps what is known of one cell up to date until the signal aborts; a control store that fails is asked again. */
  async follow(
    cell: CellName,
    signal: AbortSignal,
    failed: (error: unknown) => void,
  ): Promise<void> {
    while (!signal.aborted) {
      try {
        // Watched before it is read: a change between the two would be missed.
        const changes = this.#control.watch(announcementKey(cell), signal)
        await this.load([cell])
        for await (const entry of changes) {
          this.#take(cell, entry.value)
        }
      } catch (error) {
        failed(error)
      }
      if (!signal.aborted) await this.#clock.sleep(WATCH_RETRY_MS, signal)
    }
  }

  /** What is known of a cell, in words that say why it does not answer. */
  report(cell: CellName, connect: Connect): CellReport {
    const known = this.#announcements.get(cell)
    if (known === undefined) {
      const detail = `never announced itself: start it with "cellfeed cell --name ${cell}"`
      return { ...NOTHING_KNOWN, cell, state: 'unreachable', detail }
    }
    const client = connect(cell)
    const now = stateOf(known, client, this.#clock.nowMs())
    const loading = now.state === 'loading' ? known.loading : undefined
    return { ...known, ...now, loading, client }
  }

  #take(cell: CellName, value: Uint8Array): void {
    const announcement = decodeAnnouncement(value)
    const known = this.#announcements.get(cell)
    // Watches and loads overlap: an older picture may come after a newer one.
    if (known !== undefined && isOlder(announcement, known)) return
    this.#announcements.set(cell, announcement)
  }
}

const NOTHING_KNOWN = {
  loading: undefined,
  boot: 0,
  startedAtMs: 0,
  version: '',
  memoryBytes: undefined,
  client: undefined,
}

function isOlder(a: CellAnnouncement, b: CellAnnouncement): boolean {
  return (
    a.boot < b.boot ||
    (a.boot === b.boot && a.leaseEndsAtMs < b.leaseEndsAtMs && a.state !== 'stopped')
  )
}

function stateOf(
  { address, boot, state, detail, leaseEndsAtMs }: CellAnnouncement,
  client: CellClient | undefined,
  nowMs: number,
): Pick<CellReport, 'state' | 'detail'> {
  // Who can be asked is asked: that tells more than what it announced some seconds ago.
  if (client !== undefined) return { state: 'serving', detail: '' }
  if (state === 'stopped') {
    return { state, detail: `stopped in order (boot ${boot}, was at ${address})` }
  }
  const agoSeconds = Math.round((nowMs - leaseEndsAtMs) / 1000)
  if (agoSeconds > 0) {
    const last = `its lease ended ${agoSeconds} s ago (boot ${boot}, was at ${address})`
    return { state: 'unreachable', detail: last }
  }
  if (state !== 'serving') return { state, detail }
  return {
    state: 'unreachable',
    detail: `says that it serves at ${address}, but does not answer there`,
  }
}
