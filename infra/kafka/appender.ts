// Appends of many callers, joined into few requests. Each partition has a lane (append-lane.ts); a request takes the next batch of
// every lane that one leader serves.
//
//   append -> lanes -> (linger) -> request per leader -> acknowledged by all replicas in sync -> the callers' offsets
//                                     │ no answer: the same batches again, under the same numbers
//                                     └ nobody waits for it any more: outcome unknown, and a new producer id
//
// Lingering is for appends that come while a request is under way: one that finds none is sent at once.
//
// Why the numbering is done here and not left to kafkajs' producer: that one gives the numbers of a request that failed to the
// next one. If the first was stored after all, the broker takes the second for its repeat and acknowledges what it does not
// store. Here a batch keeps its numbers, a lane sends nothing past a batch without answer, and a producer id with an open
// outcome is given up.

import type { Message } from 'kafkajs'
import { type Appended, FirehoseBusy } from '../../cells/ports/firehose.ts'
import { AppendCall, AppendUnconfirmed } from './append-call.ts'
import { type AppendBatch, AppendLane, type ProducerSession } from './append-lane.ts'
import { gatherRequests, type ProduceRequest } from './append-requests.ts'
import { Backoff } from './backoff.ts'
import { BrokerError, brokerError } from './broker-error.ts'
import type { BrokerLink, Produced } from './broker-link.ts'
import type { KafkaLimits } from './kafka-limits.ts'
import type { KafkaLog } from './kafka-log.ts'
import type { TopicPartition } from './log-partitions.ts'
import { SharedLink } from './shared-link.ts'

export type AppenderLink = Pick<BrokerLink, 'leaderOf' | 'newProducer' | 'produce' | 'close'>

/** `lane` counts through the partitions that the appender was made for. */
export type Outgoing = { readonly lane: number; readonly message: Message & { value: Buffer } }

export type AppenderOptions = {
  readonly open: () => Promise<AppenderLink>
  readonly lanes: readonly TopicPartition[]
  readonly limits: KafkaLimits
  readonly log: KafkaLog
}

/** What a record weighs beside its value: key, headers, framing. */
const RECORD_BYTES = 128
/** How often deadlines are looked at. */
const SWEEP_MS = 100

export class Appender {
  readonly #limits: KafkaLimits
  readonly #log: KafkaLog
  readonly #shared: SharedLink<AppenderLink>
  readonly #backoff: Backoff
  readonly #lanes: readonly AppendLane[]
  readonly #numberOf: ReadonlyMap<AppendLane, number>
  readonly #calls = new Set<AppendCall>()
  /** Requests under way, by leader. */
  readonly #flying = new Map<number, number>()
  #link: AppenderLink | undefined
  #session: ProducerSession | undefined
  #bytes = 0
  #firstLane = 0
  #linger: NodeJS.Timeout | undefined
  #atOnce: NodeJS.Immediate | undefined
  #sweeping: NodeJS.Timeout | undefined
  #isPreparing = false
  #isAway = false
  #isClosed = false
  #lastError = 'Kafka did not answer yet'

  constructor({ open, lanes, limits, log }: AppenderOptions) {
    this.#limits = limits
    this.#log = log
    this.#shared = new SharedLink(open)
    this.#backoff = new Backoff(limits)
    this.#lanes = lanes.map((at) => new AppendLane(at))
    this.#numberOf = new Map(this.#lanes.map((lane, number) => [lane, number]))
  }

  /** Unconfirmed bytes. */
  get bytesInFlight(): number {
    return this.#bytes
  }

  /** Rejects with FirehoseBusy when nothing was taken; any other failure leaves the outcome open. */
  async append(records: readonly Outgoing[]): Promise<Appended[]> {
    if (this.#isClosed) throw new Error('the firehose is closed')
    if (records.length === 0) return []
    const sizes = records.map(({ message }) => message.value.length + RECORD_BYTES)
    const bytes = sizes.reduce((sum, size) => sum + size, 0)
    if (this.#bytes > 0 && this.#bytes + bytes > this.#limits.inFlightBytesMax) {
      throw new FirehoseBusy(`${this.#bytes} bytes wait for Kafka: ${this.#lastError}`)
    }
    const call = new AppendCall(records.length, performance.now() + this.#limits.appendMs)
    for (const [index, { lane, message }] of records.entries()) {
      const into = this.#lanes[lane]
      if (into === undefined) throw new RangeError(`there is no lane ${lane}`)
      into.push({ call, index, message, bytes: sizes[index] ?? 0 })
    }
    this.#bytes += bytes
    this.#calls.add(call)
    this.#sweeping ??= setInterval(() => this.#sweep(), SWEEP_MS)
    this.#arm()
    try {
      return await call.promise
    } finally {
      this.#calls.delete(call)
    }
  }

  /** What was accepted is confirmed first, if Kafka lets it in time. */
  async close(): Promise<void> {
    this.#isClosed = true
    const all = Promise.allSettled([...this.#calls].map(({ promise }) => promise))
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.#limits.closeMs)
    })
    await Promise.race([all, late])
    clearTimeout(timer)
    for (const call of this.#calls) this.#giveUp(call, 'the firehose was closed')
    this.#dropSettled()
    clearTimeout(this.#linger)
    clearImmediate(this.#atOnce)
    clearInterval(this.#sweeping)
    await this.#shared.close()
  }

  /**
   * Sends now when there is a request's worth. Else when this turn of the event loop is over if no request is under way, or soon:
   * whoever is alone does not wait, and whoever is many shares requests.
   */
  #arm(): void {
    if (this.#lanes.every((lane) => lane.isEmpty)) return
    const { requestRecordsMax, batchBytesMax, lingerMs } = this.#limits
    let records = 0
    let isFull = false
    for (const lane of this.#lanes) {
      records += lane.waitingRecords
      isFull ||= lane.waitingBytes >= batchBytesMax
    }
    if (isFull || records >= requestRecordsMax) this.#pump()
    else if (this.#flying.size === 0) this.#atOnce ??= setImmediate(() => this.#pump())
    else this.#linger ??= setTimeout(() => this.#pump(), lingerMs)
  }

  #pump(): void {
    clearTimeout(this.#linger)
    clearImmediate(this.#atOnce)
    this.#linger = undefined
    this.#atOnce = undefined
    const link = this.#link
    const session = this.#session
    if (link === undefined || session === undefined) {
      void this.#prepare()
      return
    }
    try {
      this.#firstLane = (this.#firstLane + 1) % this.#lanes.length
      const inTurn = [
        ...this.#lanes.slice(this.#firstLane),
        ...this.#lanes.slice(0, this.#firstLane),
      ]
      const leaderOf = (lane: AppendLane) => {
        const leader = link.leaderOf(lane.at)
        const isBusy = (this.#flying.get(leader) ?? 0) >= this.#limits.requestsInFlightMax
        return isBusy ? undefined : leader
      }
      const requests = gatherRequests(inTurn, { leaderOf, session, limits: this.#limits })
      for (const request of requests) void this.#send(link, request)
    } catch (error) {
      this.#lost(link, brokerError(error, 'appending'))
    }
  }

  /** Connects, and asks for a producer id where there is none. One at a time; pumps when done. */
  async #prepare(after?: Promise<void>): Promise<void> {
    if (this.#isPreparing || this.#lanes.every((lane) => lane.isEmpty)) return
    this.#isPreparing = true
    let link: AppenderLink | undefined
    try {
      await after
      link = await this.#shared.get()
      this.#session ??= { producer: await link.newProducer() }
      this.#link = link
    } catch (error) {
      this.#lastError = String(error)
      if (link !== undefined) this.#shared.drop(link)
      if (!this.#isClosed) await this.#backoff.wait()
    } finally {
      this.#isPreparing = false
    }
    this.#pump()
  }

  async #send(link: AppenderLink, { leader, session, batches }: ProduceRequest): Promise<void> {
    this.#flying.set(leader, (this.#flying.get(leader) ?? 0) + 1)
    for (const batch of batches) batch.isFlying = true
    try {
      const produced = await link.produce(
        leader,
        session.producer,
        batches.map(({ lane, records, numbered }) => ({
          ...lane.at,
          firstSequence: numbered?.firstSequence ?? 0,
          messages: records.map(({ message }) => message),
        })),
        () => {
          for (const { records } of batches) for (const { call } of records) call.isSent = true
        },
      )
      for (const batch of batches) batch.isFlying = false
      this.#stored(batches, produced)
      this.#backoff.reset()
      if (this.#isAway) this.#log.warn('appending goes on', {})
      this.#isAway = false
    } catch (error) {
      for (const batch of batches) batch.isFlying = false
      this.#failed(link, batches, brokerError(error, 'appending'))
    } finally {
      const left = (this.#flying.get(leader) ?? 1) - 1
      if (left === 0) this.#flying.delete(leader)
      else this.#flying.set(leader, left)
      this.#arm()
    }
  }

  #stored(batches: readonly AppendBatch[], produced: readonly Produced[]): void {
    for (const batch of batches) {
      const { topic, partition } = batch.lane.at
      const at = produced.find((one) => one.topic === topic && one.partition === partition)
      // Without an answer of its own the batch stays, and is sent again.
      if (at === undefined || batch.lane.batch !== batch) continue
      if (at.appendedAtMs < 0) {
        const advice = `topic ${topic} must have message.timestamp.type=LogAppendTime: run \`cellfeed init\``
        this.#reject(batch, new BrokerError('refused', advice))
        continue
      }
      const number = this.#numberOf.get(batch.lane) ?? 0
      for (const [i, { call, index }] of batch.records.entries()) {
        const appended = {
          partition: number,
          offset: at.offset + i,
          appendedAtMs: at.appendedAtMs,
        }
        call.stored(index, appended)
      }
      this.#leave(batch)
    }
  }

  #failed(link: AppenderLink, batches: readonly AppendBatch[], error: BrokerError): void {
    this.#lastError = error.message
    const open = batches.filter((batch) => batch.lane.batch === batch)
    if (error.kind !== 'sequence' && error.kind !== 'refused') {
      this.#lost(link, error)
      return
    }
    const [only] = open
    if (only === undefined) return
    if (batches.length > 1) {
      for (const batch of open) batch.isAlone = true
      return
    }
    if (error.kind === 'refused') {
      this.#reject(only, error)
      return
    }
    // The broker forgot this producer: as another one. Had the batch been stored, it now stands there twice, which readers tell.
    this.#log.warn('appending goes on under a new producer id', { error: error.message })
    this.#retire(only)
    only.numbered = undefined
  }

  #lost(link: AppenderLink, error: BrokerError): void {
    this.#lastError = error.message
    if (this.#link !== link) return
    const tell = this.#isAway ? this.#log.debug : this.#log.warn
    tell('appending lost its connection and goes on when Kafka is back', { error: error.message })
    this.#isAway = true
    this.#link = undefined
    this.#shared.drop(link)
    void this.#prepare(this.#backoff.wait())
  }

  /** Fails who waited too long, and forgets batches that nobody waits for any more. */
  #sweep(): void {
    const nowMs = performance.now()
    for (const call of this.#calls) {
      // In the order of their deadlines.
      if (call.deadlineMs > nowMs) break
      this.#giveUp(call, `not confirmed within ${this.#limits.appendMs} ms`)
    }
    this.#dropSettled()
    if (this.#calls.size > 0) return
    clearInterval(this.#sweeping)
    this.#sweeping = undefined
  }

  #giveUp(call: AppendCall, why: string): void {
    const message = `${why}: ${this.#lastError}`
    call.fail(call.isSent ? new AppendUnconfirmed(message) : new FirehoseBusy(message))
  }

  #dropSettled(): void {
    for (const lane of this.#lanes) {
      for (const { bytes } of lane.drop(({ call }) => call.isSettled)) this.#bytes -= bytes
      const { batch } = lane
      if (batch?.records.every(({ call }) => call.isSettled) === true) this.#abandon(batch)
    }
  }

  /** The broker will never take it. */
  #reject(batch: AppendBatch, error: BrokerError): void {
    for (const { call } of batch.records) call.fail(error)
    this.#abandon(batch)
    this.#dropSettled()
  }

  /** Its numbers are used up, perhaps by records that are stored: no other batch may follow under the same producer id. */
  #abandon(batch: AppendBatch): void {
    this.#retire(batch)
    this.#leave(batch)
  }

  #retire({ numbered }: AppendBatch): void {
    if (numbered !== undefined && this.#session === numbered.session) this.#session = undefined
  }

  #leave(batch: AppendBatch): void {
    batch.lane.batch = undefined
    this.#bytes -= batch.bytes
  }
}
