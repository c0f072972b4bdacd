// Reading the log at random: bounds, offsets by time, some records from an offset on. One connection, kept open, apart from the
// followers' (their fetches wait for records to come, and a broker answers the requests of a connection in turn).
//
// Kafka may be away for a moment: a read is repeated until `readMs` has passed.

import type { Position } from '../../cells/model/position.ts'
import type { LogBounds } from '../../cells/ports/firehose.ts'
import { Backoff } from './backoff.ts'
import { BrokerError } from './broker-error.ts'
import type { BrokerLink, Fetched, FetchSize } from './broker-link.ts'
import { assertWithin } from './log-gap.ts'
import { type LogAccess, openLog } from './log-access.ts'
import type { LogPartitions } from './log-partitions.ts'
import { SharedLink } from './shared-link.ts'
import { Turns } from './turns.ts'

export class LogReader {
  readonly #access: LogAccess
  readonly #partitions: LogPartitions
  readonly #connection: SharedLink<BrokerLink>
  readonly #turns: Turns
  readonly #closing = new AbortController()

  constructor(access: LogAccess, partitions: LogPartitions) {
    this.#access = access
    this.#partitions = partitions
    this.#connection = new SharedLink(() => openLog(access))
    this.#turns = new Turns(access.limits.fetchesMax)
  }

  async bounds(): Promise<LogBounds> {
    const { all } = this.#partitions
    return this.#read(async (link) => {
      const start = await link.offsets(all, 'start')
      return { start, end: await link.offsets(all, 'end') }
    })
  }

  /** The end is read first: what is appended meanwhile lies behind it, so it is not missed. */
  async offsetsAt(timeMs: number): Promise<Position> {
    const { all } = this.#partitions
    return this.#read(async (link) => {
      const end = await link.offsets(all, 'end')
      const found = await link.offsets(all, { timeMs: Math.max(0, Math.ceil(timeMs)) })
      return found.map((offset, number) => (offset === NONE ? (end[number] ?? 0) : offset))
    })
  }

  /** Throws FirehoseGap when the offset is outside of the partition. Returns at once, also when there is nothing. */
  async fetch(number: number, offset: number, size: Omit<FetchSize, 'waitMs'>): Promise<Fetched> {
    try {
      const fetched = await this.fetchRaw(number, offset, size)
      if (offset <= fetched.end) return fetched
    } catch (error) {
      if (!isOutOfRange(error)) throw error
    }
    const bounds = await this.bounds()
    assertWithin(bounds, { partitions: this.#partitions, number, offset })
    const end = bounds.end[number] ?? 0
    return { ...this.#partitions.at(number), records: [], nextOffset: offset, end }
  }

  /** Throws a BrokerError of kind `out-of-range` when the offset is outside of the partition. */
  async fetchRaw(
    number: number,
    offset: number,
    size: Omit<FetchSize, 'waitMs'>,
  ): Promise<Fetched> {
    const at = this.#partitions.at(number)
    return this.#turns.take(() =>
      this.#read(async (link) => {
        const places = [{ ...at, offset }]
        const [only] = await link.fetch(link.leaderOf(at), places, { ...size, waitMs: 0 })
        if (only !== undefined) return only
        throw new BrokerError('unreachable', `no ${at.topic}-${at.partition} in the answer`)
      }),
    )
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#connection.close()
  }

  async #read<T>(work: (link: BrokerLink) => Promise<T>): Promise<T> {
    const { limits, log } = this.#access
    const deadline = performance.now() + limits.readMs
    const backoff = new Backoff(limits)
    for (;;) {
      let link: BrokerLink | undefined
      try {
        link = await this.#connection.get()
        return await work(link)
      } catch (error) {
        if (!mayPass(error) || performance.now() >= deadline) throw error
        log.debug('a read of the log is repeated', { error: error.message })
        if (link !== undefined) this.#connection.drop(link)
        await backoff.wait(this.#closing.signal)
      }
    }
  }
}

/** What Kafka answers for a time after all records. */
const NONE = -1

export function isOutOfRange(error: unknown): boolean {
  return error instanceof BrokerError && error.kind === 'out-of-range'
}

function mayPass(error: unknown): error is BrokerError {
  return (
    error instanceof BrokerError && (error.kind === 'unreachable' || error.kind === 'unknown-topic')
  )
}
