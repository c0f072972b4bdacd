// A log as a follower reads it: partitions of records on brokers that can go away, lose their start, or hold another log under
// the same name.

import type { LogBounds } from '../../../cells/ports/firehose.ts'
import { BrokerError } from '../../../infra/kafka/broker-error.ts'
import type { Fetched, FetchPlace, FetchSize, RawRecord } from '../../../infra/kafka/broker-link.ts'
import type { FollowLink } from '../../../infra/kafka/follower.ts'
import { LogPartitions } from '../../../infra/kafka/log-partitions.ts'
import { encodeEvent } from '../../../infra/wire/event-codec.ts'
import { Bell } from '../../../infra/in-process/bell.ts'
import { postBy } from '../../contract/sample-events.ts'

type FakePartition = { start: number; records: RawRecord[] }

export class FakeLog {
  readonly partitions = new LogPartitions('fake', 2)
  readonly sizes: FetchSize[] = []
  readonly #bell = new Bell()
  #logs: FakePartition[] = []
  attempts = 0
  opened = 0
  closed = 0
  /** What opening or fetching fails with, until it is unset. */
  failure: Error | undefined

  constructor() {
    this.makeAnew()
  }

  readonly open = async (): Promise<FollowLink> => {
    this.attempts++
    if (this.failure !== undefined) throw this.failure
    this.opened++
    return {
      leaderOf: ({ partition }) => partition,
      fetch: (_leader, places, size) => this.#fetch(places, size),
      close: async () => {
        this.closed++
      },
    }
  }

  readonly reader = {
    bounds: async (): Promise<LogBounds> => ({
      start: this.#logs.map(({ start }) => start),
      end: this.#logs.map(({ start, records }) => start + records.length),
    }),
    fetchRaw: async (number: number, offset: number): Promise<Fetched> =>
      this.#read({ ...this.partitions.at(number), offset }, 1),
  }

  append(number: number, ...texts: string[]): void {
    for (const text of texts) this.appendRaw(number, Buffer.from(encodeEvent(postBy('x', text))))
  }

  appendRaw(number: number, value: Buffer): void {
    const log = this.#log(number)
    const offset = String(log.start + log.records.length)
    log.records.push({ offset, timestamp: String(1_000 + Number(offset)), key: null, value })
    this.#bell.ring()
  }

  /** As compaction would. */
  loseRecord(number: number, at: number): void {
    this.#log(number).records.splice(at, 1)
  }

  dropBefore(number: number, offset: number): void {
    const log = this.#log(number)
    log.records.splice(0, offset - log.start)
    log.start = offset
  }

  makeAnew(): void {
    this.#logs = this.partitions.all.map(() => ({ start: 0, records: [] }))
  }

  /** Requests under way fail. */
  fail(failure: Error): void {
    this.failure = failure
    this.#bell.ring()
  }

  async #fetch(places: readonly FetchPlace[], size: FetchSize): Promise<Fetched[]> {
    this.sizes.push(size)
    for (;;) {
      const heard = this.#bell.rings
      if (this.failure !== undefined) throw this.failure
      const fetched = places.map((place) => this.#read(place, size.bytesMax))
      if (fetched.some(({ records }) => records.length > 0)) return fetched
      await this.#bell.rungSince(heard, new AbortController().signal)
    }
  }

  #read({ topic, partition, offset }: FetchPlace, count: number): Fetched {
    const { start, records } = this.#log(this.partitions.number({ topic, partition }))
    const end = start + records.length
    if (offset < start || offset > end) throw new BrokerError('out-of-range', 'OFFSET_OUT_OF_RANGE')
    const found = records.slice(offset - start, offset - start + count)
    const nextOffset = offset + found.length
    return { topic, partition, records: found, nextOffset, end }
  }

  #log(number: number): FakePartition {
    const log = this.#logs[number]
    if (log === undefined) throw new RangeError(`no partition ${number}`)
    return log
  }
}
