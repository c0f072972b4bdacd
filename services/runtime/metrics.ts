// Metrics, in the words of the design. A process has one registry; labels are few: cell, method, code, kind.

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Placement } from '../../cells/model/placement.ts'
import type { CellStatus } from '../../cells/ports/cell-client.ts'

const SECONDS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10]

/** What of a cell's status is a gauge, and what operators read there. */
const CELL_GAUGES = {
  ready: 'Whether the cell serves (1) or not (0)',
  lagMs:
    'How long ago the newest applied event was appended, while there are newer ones; milliseconds',
  readers: 'Readers in memory',
  readersAway: 'Readers who are away: only the store knows whom they follow',
  names: 'Users the cell has a number for',
  windowPosts: 'Posts in the window',
  windowPostsMax: 'Posts the window never exceeds',
  windowBytes: 'Bytes of the window',
  readersBytes: 'Bytes of readers, estimated',
  generations: 'Generations written into inboxes',
  chunks: 'Chunks in inboxes',
  chunkBytes: 'Bytes of chunks in inboxes',
  entriesDelivered: 'Entries delivered into inboxes, also before the start',
  entriesFilled: 'Entries put into inboxes after pages had pulled them, since the start',
  pendingPosts: 'Posts applied whose rows are not yet durable',
  bodiesCachedBytes: 'Bytes of post bodies in memory',
  checkpointAgeMs: 'Age of the newest checkpoint, milliseconds',
  eventsSinceCheckpoint: 'Events that a restart would replay',
  eventsApplied: 'Events applied since the start',
  eventsRefused: 'Events refused since the start: id and append time too far apart',
  eventsRepeated: 'Events met again since the start',
  watchers: 'Dashboards being watched',
  reads: 'Reads a second, of the last ten',
  readsFailed: 'Reads that failed a second, of the last ten',
  readP99Ms: '99 of 100 reads of the last ten seconds took no longer, milliseconds',
  readersCopied: 'Readers that moves copied to this cell since the start',
  bytesCopied: 'Bytes that moves copied to this cell since the start',
  authorsDelivered: 'Authors whose posts are put into inboxes, who have posted of late',
  authorsPulled: 'Authors whose posts are read when somebody looks',
  classChanges:
    'Authors delivered instead of pulled, or pulled instead of delivered, since the start',
  classesDecidedAgeMs: 'Age of the last decision of what is delivered, milliseconds',
  entriesPerS: 'Entries that are to be delivered a second',
  readsBelowWindowPerS: 'Reads a second that go below the window, as expected',
  costDeliverAllUs: 'What delivering everything would cost, microseconds a second',
  costPullAllUs: 'What pulling everything would cost, microseconds a second',
  costAsDecidedUs: 'What is done costs, microseconds a second',
  pairsLeftOut: 'Pairs of reader and author: delivered, but not to this reader',
  readersHeavy: 'Readers who follow so many that their pages may walk the window',
  readsInWindow: 'Pages, and counts of unread posts, since the start that ended within the window',
  readsInInbox: 'The same that ended below the window, by inboxes alone',
  readsBelowInbox: "The same that read authors' stored posts",
  costChainUs: "Cost of an author's chain in the window, microseconds",
  costWalkedUs: 'Cost of an entry of the window walked past, microseconds',
  costEdgeUs: 'Cost of somebody followed, asked for posts in a generation, microseconds',
  costEntryUs: 'Cost of an entry delivered, microseconds',
  costEntryBytes: 'Bytes of an entry delivered',
  costPullUs:
    'Cost of an author whom inboxes lack, read by a page from the stored posts, microseconds',
  costChunkUs: "Cost of a reader's chunk beside its entries, microseconds",
  costInboxUs: 'Cost of the inbox for a page that gets down to it, microseconds',
} as const satisfies { [Name in keyof CellStatus]?: string }

export type ReadGauge = {
  readonly name: string
  readonly help: string
  readonly labels?: Readonly<Record<string, string>>
  readonly value: () => number
}

export class Metrics {
  readonly registry = new Registry()
  readonly #refreshes: (() => Promise<void>)[] = []
  readonly calls = this.#counter('cellfeed_calls_total', 'Calls answered', ['method', 'code'])
  readonly callSeconds = this.#histogram('cellfeed_call_seconds', 'Time to answer', ['method'])
  readonly callsInFlight = this.#gauge('cellfeed_calls_in_flight', 'Calls being answered', [])
  readonly streams = this.#gauge('cellfeed_streams', 'Streams open', ['method'])
  readonly eventsWritten = this.#counter('cellfeed_events_written_total', 'Events appended', [])
  readonly movedFollowed = this.#counter(
    'cellfeed_moved_followed_total',
    'Answers `moved` that were followed to another cell',
    [],
  )
  readonly cellRestarts = this.#counter('cellfeed_cell_restarts_total', 'Cells started anew', [
    'cell',
  ])

  /** Everything, in the format that Prometheus reads. */
  async text(): Promise<string> {
    await Promise.all(this.#refreshes.map((refresh) => refresh()))
    return this.registry.metrics()
  }

  /** Gauges of cells, read from their status whenever metrics are asked for. */
  watchCells(statuses: () => Promise<readonly CellStatus[]>): void {
    const answered = this.#gauge('cellfeed_cells', 'Cells that answered', [])
    const gauges = Object.entries(CELL_GAUGES).map(([field, help]) => ({
      field: field as keyof typeof CELL_GAUGES,
      gauge: this.#gauge(`cellfeed_cell_${snakeCase(field)}`, help, ['cell']),
    }))
    this.#refreshes.push(async () => {
      const all = await statuses()
      answered.set(all.length)
      for (const { field, gauge } of gauges) {
        gauge.reset()
        // What is not known yet is left out.
        for (const status of all) {
          const value = status[field]
          if (value !== undefined) gauge.set({ cell: status.cell }, Number(value))
        }
      }
    })
  }

  /** Moves by phase, as the placement of this process has them. */
  watchPlacement(placement: () => Placement): void {
    const moves = this.#gauge('cellfeed_moves', 'Moves and standbys, by phase', ['kind', 'phase'])
    this.#refreshes.push(async () => {
      moves.reset()
      for (const { isStandby, isPaused, phase } of placement().moves) {
        moves.inc({ kind: isStandby ? 'standby' : 'move', phase: isPaused ? 'paused' : phase.kind })
      }
    })
    this.read({
      name: 'cellfeed_placement_epoch',
      help: 'Of the placement that this process knows',
      value: () => placement().epoch,
    })
  }

  /** Whether a cell's process holds its lease; read when metrics are asked for. */
  watchLease(cell: string, state: () => 'held' | 'lapsed' | 'unconfirmed' | 'superseded'): void {
    this.read({
      name: 'cellfeed_cell_lease_held',
      help: 'Whether the process knows itself to be the one of its cell (1) or not (0)',
      labels: { cell },
      value: () => (state() === 'held' ? 1 : 0),
    })
  }

  /** A gauge that is read when metrics are asked for. */
  read(gauge: ReadGauge): void {
    const { name, help, labels = {}, value } = gauge
    const made = this.#gauge(name, help, Object.keys(labels))
    this.#refreshes.push(async () => made.set({ ...labels }, value()))
  }

  watchProcess(): void {
    collectDefaultMetrics({ register: this.registry })
  }

  #counter(name: string, help: string, labelNames: string[]): Counter {
    return new Counter({ name, help, labelNames, registers: [this.registry] })
  }

  #gauge(name: string, help: string, labelNames: string[]): Gauge {
    return new Gauge({ name, help, labelNames, registers: [this.registry] })
  }

  #histogram(name: string, help: string, labelNames: string[]): Histogram {
    return new Histogram({ name, help, labelNames, buckets: SECONDS, registers: [this.registry] })
  }
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
