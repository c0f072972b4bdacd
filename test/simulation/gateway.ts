// A gateway as the firehose sees it: gives ids by a clock of its own, appends after a while, and when it does not hear of an
// append in time, appends the same event again, perhaps much later. Leaders of partitions stamp records by clocks of theirs.

import { type Event, type Fact, routeOf, type Unreadable } from '../../cells/model/event.ts'
import { IdAllocator } from '../../cells/model/id-allocator.ts'
import { partitionNumber } from '../../cells/model/position.ts'
import type { EventId, PostId } from '../../cells/model/post-id.ts'
import { keyWord } from '../../cells/model/user-key.ts'
import type { SkewedClock } from './clocks.ts'
import type { EventLog } from './event-log.ts'
import type { Dice } from './random.ts'
import type { ReferenceModel } from './reference-model.ts'
import type { Scheduler } from './scheduler.ts'
import type { Tally } from './tally.ts'
import type { Trace } from './trace.ts'
import { known } from './violation.ts'

export type Produced = { readonly partition: number; readonly offset: number }

/** The brokers: one log, a leader's clock for each partition, and the model that takes every record as it is appended. */
export class Brokers {
  readonly log: EventLog
  readonly model: ReferenceModel
  readonly leaders: readonly SkewedClock[]
  /** Appends that are under way. */
  pending = 0
  readonly #trace: Trace
  readonly #dice: Dice
  readonly #tally: Tally

  constructor(options: {
    readonly log: EventLog
    readonly model: ReferenceModel
    readonly leaders: readonly SkewedClock[]
    readonly trace: Trace
    readonly dice: Dice
    readonly tally: Tally
  }) {
    this.log = options.log
    this.model = options.model
    this.leaders = options.leaders
    this.#trace = options.trace
    this.#dice = options.dice
    this.#tally = options.tally
  }

  partitionOf(fact: Exclude<Fact, Unreadable>): number {
    const { topic, key } = routeOf(fact)
    const perTopic = this.log.identity.partitionsPerTopic
    return partitionNumber(topic, keyWord(key.key, 1) % perTopic, perTopic)
  }

  append(partition: number, event: Event): Produced {
    const leader = known(this.leaders[partition % this.leaders.length], 'a leader')
    const skipped = this.#dice.chance(0.04) ? this.#dice.between(1, 3) : 0
    const record = this.log.append({ partition, event, appendedAtMs: leader.nowMs, skipped })
    const judgement = this.model.append(partition, record)
    this.#tally.add(`event: ${event.fact.kind}`)
    this.#tally.add(`record ${judgement}`)
    this.#trace.line(
      `  ${partition}:${record.offset} at ${record.appendedAtMs} ${judgement} ${textOf(event)}`,
    )
    return { partition, offset: record.offset }
  }
}

export class Gateway {
  readonly clock: SkewedClock
  readonly #ids: IdAllocator
  readonly #brokers: Brokers
  readonly #scheduler: Scheduler
  readonly #dice: Dice
  readonly #tally: Tally

  constructor(options: {
    readonly worker: number
    readonly clock: SkewedClock
    readonly brokers: Brokers
    readonly scheduler: Scheduler
    readonly dice: Dice
    readonly tally: Tally
  }) {
    this.clock = options.clock
    this.#ids = new IdAllocator(options.worker)
    this.#brokers = options.brokers
    this.#scheduler = options.scheduler
    this.#dice = options.dice
    this.#tally = options.tally
  }

  allocatePostId(): PostId {
    return this.#ids.allocate(this.clock.nowMs) as PostId
  }

  allocateEventId(): EventId {
    return this.#ids.allocate(this.clock.nowMs) as EventId
  }

  /** Resolves when the record is in the log. */
  produce(fact: Exclude<Fact, Unreadable>): Promise<Produced> {
    const event = { id: this.allocateEventId(), fact }
    const partition = this.#brokers.partitionOf(fact)
    // What a relation was is easily undone by the repeat of an older change.
    const isRelation = 'asOfMs' in fact
    if (this.#dice.chance(isRelation ? 0.15 : 0.05)) this.#retry(partition, event)
    this.#brokers.pending++
    return new Promise((resolve) => {
      this.#scheduler.after(this.#appendDelayUs(), `append ${fact.kind}`, () => {
        this.#brokers.pending--
        resolve(this.#brokers.append(partition, event))
      })
    })
  }

  /** A record that stands in the log once more: soon, after minutes, or after the time in which ids are remembered. */
  #retry(partition: number, event: Event): void {
    const delayUs = this.#dice.pick([2_000_000, 60_000_000, 110_000_000, 400_000_000])
    this.#brokers.pending++
    this.#scheduler.after(this.#dice.below(delayUs), 'append again', () => {
      this.#brokers.pending--
      this.#brokers.append(partition, event)
      this.#tally.add('fault: record repeated by its producer')
    })
  }

  #appendDelayUs(): number {
    const kind = this.#dice.below(100)
    if (kind < 85) return this.#dice.between(500, 30_000)
    if (kind < 98) return this.#dice.between(50_000, 4_000_000)
    this.#tally.add('fault: append delayed')
    return this.#dice.between(10_000_000, 150_000_000)
  }
}

/** An event in one line of the trace. */
function textOf({ id, fact }: Event): string {
  const about = Object.entries(fact).flatMap(([name, value]) => {
    if (name === 'kind' || value === undefined) return []
    if (value instanceof Uint8Array)
      return [`${name}=${Buffer.from(value.subarray(0, 24)).toString()}`]
    if (typeof value === 'object' && 'id' in value) return [`${name}=${value.id}`]
    return [
      `${name}=${typeof value === 'object' ? `${value.author.id}/${value.postId}` : String(value)}`,
    ]
  })
  return `${fact.kind} ${about.join(' ')} (${id})`
}
