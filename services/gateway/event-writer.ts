// The way of a write: an event id, the firehose, a consistency token. A write is acknowledged only when the log has it and
// when the log's clock and ours agree within half the repeat window: else a repeat could be taken for a new event.

import type { Fact, Unreadable } from '../../cells/model/event.ts'
import { msOf, type PostId } from '../../cells/model/post-id.ts'
import type { Clock } from '../../cells/ports/clock.ts'
import type { Appended, Firehose } from '../../cells/ports/firehose.ts'
import type { Metrics } from '../runtime/metrics.ts'
import type { ConsistencyTokens } from './consistency-tokens.ts'
import { ApiError } from './errors.ts'
import type { WorkerLease } from './worker-lease.ts'

export type ProducedFact = Exclude<Fact, Unreadable>
export type Written = {
  readonly appended: readonly Appended[]
  /** The place after all these events. */
  readonly position: readonly number[]
  readonly token: string
}

/** What an event weighs beside its post: ids and framing. */
const EVENT_BYTES = 256

export type EventWriterParts = {
  readonly firehose: Firehose
  readonly clock: Clock
  readonly lease: WorkerLease
  readonly tokens: ConsistencyTokens
  readonly metrics: Metrics
  /** D, and how many bytes may be on their way to the log. */
  readonly limits: { readonly repeatWindowMs: number; readonly writeBytesInFlightMax: number }
}

export class EventWriter {
  readonly #parts: EventWriterParts
  #bytesInFlight = 0

  constructor(parts: EventWriterParts) {
    this.#parts = parts
  }

  newPostId(): PostId {
    return this.#parts.lease.postId()
  }

  nowMs(): number {
    return this.#parts.clock.nowMs()
  }

  /** Resolves when all are durable in the log. Events of one partition keep their order. */
  async write(facts: readonly ProducedFact[], signal: AbortSignal): Promise<Written> {
    const events = facts.map((fact) => ({ id: this.#parts.lease.eventId(), fact }))
    const release = this.#admit(facts.reduce((sum, fact) => sum + weightOf(fact), 0))
    const append = this.#parts.firehose.append(events)
    append.then(release, release)
    const appended = await confirmed(append, signal)
    this.#parts.metrics.eventsWritten.inc(events.length)
    for (const [index, { appendedAtMs }] of appended.entries()) {
      const event = events[index]
      if (event !== undefined) this.#checkSkew(appendedAtMs - msOf(event.id))
    }
    return this.#written(appended)
  }

  /** Writes one after the other; once the first is accepted, a failure leaves the outcome open. */
  async writeInTurn(
    steps: readonly (readonly ProducedFact[])[],
    signal: AbortSignal,
  ): Promise<Written> {
    const appended: Appended[] = []
    for (const facts of steps) {
      try {
        const written = await this.write(facts, signal)
        appended.push(...written.appended)
      } catch (error) {
        throw appended.length === 0 ? error : outcomeUnknown(error)
      }
    }
    return this.#written(appended)
  }

  #written(appended: readonly Appended[]): Written {
    const position = this.#parts.tokens.positionAfter(appended)
    return { appended, position, token: this.#parts.tokens.write(position) }
  }

  /** Counts the bytes until the log has settled them, also when the caller no longer waits. */
  #admit(bytes: number): () => void {
    const max = this.#parts.limits.writeBytesInFlightMax
    if (this.#bytesInFlight + bytes > max) {
      const message = 'the firehose does not keep up: too many bytes wait for it'
      throw new ApiError('OVERLOADED', message, { metadata: { what: 'writes' } })
    }
    this.#bytesInFlight += bytes
    return () => {
      this.#bytesInFlight -= bytes
    }
  }

  #checkSkew(skewMs: number): void {
    const limitMs = this.#parts.limits.repeatWindowMs / 2
    if (Math.abs(skewMs) <= limitMs) return
    const message = `the firehose's clock and this server's are ${skewMs} ms apart`
    throw new ApiError('CLOCK_SKEW', message, { metadata: { skew_ms: skewMs, limit_ms: limitMs } })
  }
}

function weightOf(fact: ProducedFact): number {
  const head = 'head' in fact ? fact.head.length : 0
  const content = 'content' in fact ? fact.content.length : 0
  return EVENT_BYTES + head + content
}

/** Waits for the log, but not beyond the signal: then nobody knows whether it happened. */
async function confirmed(append: Promise<Appended[]>, signal: AbortSignal): Promise<Appended[]> {
  let onAbort: () => void = () => undefined
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(outcomeUnknown(undefined))
  })
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  try {
    return await Promise.race([append, aborted])
  } catch (error) {
    // Busy means that nothing was taken; any other failure may still have happened, also later.
    throw isBusy(error) ? error : outcomeUnknown(error)
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'FIREHOSE_BUSY'
}

/** What a write ends with that may have happened. */
export function outcomeUnknown(cause: unknown): ApiError {
  if (cause instanceof ApiError && cause.code === 'WRITE_OUTCOME_UNKNOWN') return cause
  const message = 'the write was not confirmed: it may have happened or not; repeat it'
  return new ApiError('WRITE_OUTCOME_UNKNOWN', message, { cause })
}
