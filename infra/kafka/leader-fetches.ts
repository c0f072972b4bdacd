// The fetches of one follower by one connection: for each leader which of the followed partitions it serves, from which offset
// its next fetch reads, and how much. Small fetches while the follower keeps up, as decoding one keeps the event loop (3 us a
// record); large ones while it is far behind.

import type { BrokerLink, Fetched } from './broker-link.ts'
import type { KafkaLimits } from './kafka-limits.ts'
import type { LogPartitions } from './log-partitions.ts'

export class LeaderFetches {
  readonly #link: Pick<BrokerLink, 'fetch' | 'leaderOf'>
  readonly #partitions: LogPartitions
  readonly #limits: Pick<KafkaLimits, 'liveFetch' | 'catchUpFetch' | 'catchUpRecords'>
  readonly #from: number[]
  /** How many records Kafka holds beyond what was fetched, when it last told. */
  readonly #behind: number[]
  readonly #numbersOf = new Map<number, number[]>()

  constructor(
    link: Pick<BrokerLink, 'fetch' | 'leaderOf'>,
    partitions: LogPartitions,
    from: readonly number[],
    limits: Pick<KafkaLimits, 'liveFetch' | 'catchUpFetch' | 'catchUpRecords'>,
  ) {
    this.#link = link
    this.#partitions = partitions
    this.#limits = limits
    this.#from = [...from]
    this.#behind = from.map(() => 0)
    for (const number of from.keys()) {
      const leader = link.leaderOf(partitions.at(number))
      const numbers = this.#numbersOf.get(leader)
      if (numbers === undefined) this.#numbersOf.set(leader, [number])
      else numbers.push(number)
    }
  }

  get leaders(): Iterable<number> {
    return this.#numbersOf.keys()
  }

  /** One at a time for each leader. The next one goes on where this one ended. */
  async fetch(leader: number): Promise<Fetched[]> {
    const numbers = this.#numbersOf.get(leader) ?? []
    const places = numbers.map((number) => ({
      ...this.#partitions.at(number),
      offset: this.#from[number] ?? 0,
    }))
    const fetched = await this.#link.fetch(leader, places, this.#size(numbers))
    for (const one of fetched) {
      const number = this.#partitions.number(one)
      this.#from[number] = one.nextOffset
      this.#behind[number] = Math.max(0, one.end - one.nextOffset)
    }
    return fetched
  }

  #size(numbers: readonly number[]) {
    const { liveFetch, catchUpFetch, catchUpRecords } = this.#limits
    const behind = numbers.reduce((sum, number) => sum + (this.#behind[number] ?? 0), 0)
    return behind > catchUpRecords ? catchUpFetch : liveFetch
  }
}
