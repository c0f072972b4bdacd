// Following the log: each leader's partitions are read from the exact next offsets, one request under way while the last answer
// is handed on. The reader pulls; nothing is fetched for it beyond that one answer of each leader.
//
//   connect ── same log? positions within it? ──> fetch ──> hand on, in slices ──> fetch ...
//      ^                                            │ any failure that may pass
//      └──────────────── wait a little ─────────────┘
//
// Kafka being away only means waiting. What ends a follower with FirehoseGap: its position is not in the log any more, or the
// log is another one. A request that is never answered is given up by its time and its connection replaced (broker-link.ts), so
// a follower can not stand still unnoticed; `answeredAtMs` tells when Kafka last answered.

import { setImmediate } from 'node:timers/promises'
import { FirehoseGap, type FollowOptions, type LogBatch } from '../../cells/ports/firehose.ts'
import { Bell } from '../in-process/bell.ts'
import { Backoff } from './backoff.ts'
import { BrokerError } from './broker-error.ts'
import type { BrokerLink, Fetched } from './broker-link.ts'
import type { DeadLetters } from './dead-letters.ts'
import { LogAnchors } from './log-anchors.ts'
import type { KafkaLimits } from './kafka-limits.ts'
import type { KafkaLog } from './kafka-log.ts'
import { LeaderFetches } from './leader-fetches.ts'
import { assertWithin, WAY_OUT } from './log-gap.ts'
import { FirehoseMismatch } from './log-identity.ts'
import type { LogPartitions } from './log-partitions.ts'
import type { LogReader } from './log-reader.ts'
import { deadFact, decodeBatch } from './raw-records.ts'

export type FollowerParts = {
  readonly limits: KafkaLimits
  readonly log: KafkaLog
  readonly partitions: LogPartitions
  readonly open: () => Promise<FollowLink>
  readonly reader: Pick<LogReader, 'bounds' | 'fetchRaw'>
  readonly deadLetters: Pick<DeadLetters, 'put'>
  /** Given every connection that the follower is done with. */
  readonly closeLater: (link: FollowLink) => void
}

export type FollowLink = Pick<BrokerLink, 'fetch' | 'leaderOf' | 'close'>

type Landed =
  | { readonly leader: number; readonly fetched: readonly Fetched[] }
  | { readonly error: unknown }

export class Follower {
  /** Unix ms of Kafka's last answer; 0 before the first. */
  answeredAtMs = 0
  readonly #parts: FollowerParts
  readonly #options: FollowOptions
  readonly #anchors: LogAnchors
  readonly #backoff: Backoff
  readonly #bell = new Bell()
  /** By partition: the next offset to hand on. */
  readonly #next: number[]
  #isAway = false
  #unknownSinceMs: number | undefined
  #ended: Error | undefined

  constructor(parts: FollowerParts, from: readonly number[], options: FollowOptions) {
    const topics = options.topic === 'public' ? 1 : 2
    this.#parts = parts
    this.#options = options
    this.#anchors = new LogAnchors(parts.reader, parts.partitions)
    this.#backoff = new Backoff(parts.limits)
    const count = parts.partitions.perTopic * topics
    this.#next = Array.from({ length: count }, (_, number) => from[number] ?? 0)
  }

  /** Makes the reader's next pull fail. */
  end(error: Error): void {
    this.#ended = error
    this.#bell.ring()
  }

  async *batches(): AsyncGenerator<LogBatch> {
    const { signal } = this.#options
    while (!signal.aborted) {
      try {
        yield* this.#session()
      } catch (error) {
        if (signal.aborted) return
        await this.#judge(error)
        await this.#backoff.wait(signal)
      }
    }
  }

  /** Hands on what comes by one connection, until the signal aborts or something fails. */
  async *#session(): AsyncGenerator<LogBatch> {
    const { closeLater, limits, open, partitions } = this.#parts
    const { signal } = this.#options
    const link = await open()
    try {
      await this.#checkLog()
      const fetches = new LeaderFetches(link, partitions, this.#next, limits)
      const landed: Landed[] = []
      const launch = (leader: number) => {
        const land = (result: Landed) => {
          landed.push(result)
          this.#bell.ring()
        }
        fetches.fetch(leader).then(
          (fetched) => land({ leader, fetched }),
          (error: unknown) => land({ error }),
        )
      }
      for (const leader of fetches.leaders) launch(leader)
      let checkAtMs = performance.now() + limits.identityCheckMs
      while (!signal.aborted) {
        if (this.#ended !== undefined) throw this.#ended
        const heard = this.#bell.rings
        const result = landed.shift()
        if (result === undefined) {
          await this.#bell.rungSince(heard, signal)
          continue
        }
        if ('error' in result) throw result.error
        this.#answered()
        launch(result.leader)
        if (performance.now() >= checkAtMs) {
          await this.#anchors.check()
          checkAtMs = performance.now() + limits.identityCheckMs
        }
        for (const fetched of result.fetched) yield* this.#handOn(fetched)
      }
    } finally {
      closeLater(link)
    }
  }

  async #checkLog(): Promise<void> {
    const { partitions, reader } = this.#parts
    const bounds = await reader.bounds()
    for (const [number, offset] of this.#next.entries()) {
      assertWithin(bounds, { partitions, number, offset })
    }
    await this.#anchors.begin(this.#next, bounds)
    await this.#anchors.check()
  }

  #answered(): void {
    this.answeredAtMs = Date.now()
    this.#unknownSinceMs = undefined
    this.#backoff.reset()
    if (this.#isAway) this.#parts.log.warn('a follower goes on', {})
    this.#isAway = false
  }

  /** Decodes a slice at a time, and lets others run between two. */
  async *#handOn(fetched: Fetched): AsyncGenerator<LogBatch> {
    const { partitions, deadLetters } = this.#parts
    const { signal, recordsMax } = this.#options
    const { records } = fetched
    const number = partitions.number(fetched)
    for (let from = 0; from < records.length; from += recordsMax) {
      if (from > 0) await setImmediate()
      if (signal.aborted) return
      if (this.#ended !== undefined) throw this.#ended
      const raw = records.slice(from, from + recordsMax)
      const offset = this.#next[number] ?? 0
      const batch = decodeBatch(raw, { partitions, number, offset })
      for (const [i, record] of batch.records.entries()) {
        const dead = deadFact(record)
        if (dead === undefined) continue
        deadLetters.put({ ...fetched, offset: record.offset, reason: dead.reason, record: raw[i] })
      }
      const last = batch.records.at(-1)
      if (last !== undefined) this.#anchors.remember(number, last)
      this.#next[number] = batch.nextOffset
      yield batch
    }
  }

  /** Returns when following may go on after a while; throws what ends it. */
  async #judge(error: unknown): Promise<void> {
    const { limits, log, partitions } = this.#parts
    if (error instanceof FirehoseMismatch) {
      throw new FirehoseGap(`${error.message}. ${WAY_OUT}`, { cause: error })
    }
    if (!(error instanceof BrokerError) || error.kind === 'refused') throw error
    const tell = this.#isAway ? log.debug : log.warn
    tell('a follower lost the firehose and goes on when it is back', { error: error.message })
    this.#isAway = true
    if (error.kind === 'unknown-topic') {
      const nowMs = performance.now()
      this.#unknownSinceMs ??= nowMs
      if (nowMs - this.#unknownSinceMs < limits.vanishedMs) return
      const { perTopic } = partitions
      throw new FirehoseGap(
        `no broker knows the topics ${partitions.at(0).topic} and ${partitions.at(perTopic).topic} any more: ` +
          `they were deleted. ${WAY_OUT}`,
        { cause: error },
      )
    }
  }
}
