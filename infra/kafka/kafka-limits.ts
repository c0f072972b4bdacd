// Every bound of this adapter has a name, a unit and a default here.

import type { FetchSize } from './broker-link.ts'

export type KafkaLimits = {
  readonly connectMs: number
  /** An answer that takes longer is given up and its connection replaced: a broker that is stopped looks like this. */
  readonly requestMs: number
  /** Opening waits so long for Kafka to answer. */
  readonly openMs: number
  /** An append that is not confirmed by then fails: outcome unknown, or busy if nothing was sent. */
  readonly appendMs: number
  /** `fetch`, `bounds` and `offsetsAt` fail when Kafka does not answer for so long. */
  readonly readMs: number
  readonly closeMs: number
  /** Reconnecting waits between these, doubling, with jitter. */
  readonly retryMs: number
  readonly retryMaxMs: number

  /** Appends that come while a request is under way wait so long, or until it is answered, to share the next one. */
  readonly lingerMs: number
  /** Beyond so many unconfirmed bytes appends are refused with FirehoseBusy. */
  readonly inFlightBytesMax: number
  /** Of one partition in one request; the topics' max.message.bytes must allow it. */
  readonly batchBytesMax: number
  /** Of one request: encoding one keeps the event loop some 15 us a record. */
  readonly requestRecordsMax: number
  readonly requestBytesMax: number
  /** Requests to one leader at once. */
  readonly requestsInFlightMax: number

  /** A follower that keeps up, and one that is further behind than `catchUpRecords`. */
  readonly liveFetch: FetchSize
  readonly catchUpFetch: FetchSize
  readonly catchUpRecords: number
  /** How often a follower makes sure that the log is still the one it began with. */
  readonly identityCheckMs: number
  /** A topic that no broker knows for so long has vanished. */
  readonly vanishedMs: number
  /** `fetch` calls that run at once; others wait. */
  readonly fetchesMax: number
  /** Dead letters on their way; more are counted and not written. */
  readonly deadLettersMax: number
}

export const KAFKA_LIMITS: KafkaLimits = {
  connectMs: 2_000,
  requestMs: 10_000,
  openMs: 30_000,
  appendMs: 30_000,
  readMs: 15_000,
  closeMs: 5_000,
  retryMs: 50,
  retryMaxMs: 2_000,
  lingerMs: 2,
  inFlightBytesMax: 64 * 1024 * 1024,
  batchBytesMax: 512 * 1024,
  requestRecordsMax: 512,
  requestBytesMax: 2 * 1024 * 1024,
  requestsInFlightMax: 2,
  liveFetch: { waitMs: 500, bytesMax: 512 * 1024, partitionBytesMax: 256 * 1024 },
  catchUpFetch: { waitMs: 500, bytesMax: 4 * 1024 * 1024, partitionBytesMax: 1024 * 1024 },
  catchUpRecords: 4_000,
  identityCheckMs: 5_000,
  vanishedMs: 5_000,
  fetchesMax: 4,
  deadLettersMax: 1_000,
}
