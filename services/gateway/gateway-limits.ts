// Every bound of a gateway has a name, a unit and a default here. What the API promises about sizes is in validate.ts.

export type GatewayLimits = {
  /** Unary calls being answered, and bytes of writes not yet confirmed by the firehose. Over it: RESOURCE_EXHAUSTED. */
  readonly callsInFlightMax: number
  readonly writeBytesInFlightMax: number
  readonly watchesMax: number
  readonly subscriptionsMax: number
  /** Largest request, in bytes. gRPC refuses more by itself. */
  readonly requestBytesMax: number
  /** A unary call without a deadline gets this one; no call gets more than the greatest. */
  readonly deadlineDefaultMs: number
  readonly deadlineMaxMs: number
  /** So long before the deadline waiting ends, so that the answer still arrives. At most a fifth of the time given. */
  readonly answerMarginMs: number
  /** How often an answer `moved` is followed before the cell counts as unavailable. */
  readonly movedFollowedMax: number
  /** A page's posts in bytes: below the 4 MiB that gRPC clients accept by default. */
  readonly pageBytesMax: number
  readonly heartbeatMs: number
  /** A client that takes nothing from a stream for so long loses it. */
  readonly streamStallMs: number
  /** A watch that goes on from a page token sends at most so many missed posts, else it asks to list anew. */
  readonly watchMissedPostsMax: number
  /** An import is appended in pieces of at most so many events and so many bytes. */
  readonly importAppendEvents: number
  readonly importAppendBytes: number
  readonly subscriptionFetchRecords: number
  readonly subscriptionMessageBytes: number
  /** How long a stop waits for calls to end before it cuts them off. */
  readonly drainMs: number
}

export const GATEWAY_LIMITS: GatewayLimits = {
  callsInFlightMax: 10_000,
  writeBytesInFlightMax: 64 * 1024 * 1024,
  watchesMax: 10_000,
  subscriptionsMax: 100,
  requestBytesMax: 4 * 1024 * 1024,
  deadlineDefaultMs: 10_000,
  deadlineMaxMs: 600_000,
  answerMarginMs: 50,
  movedFollowedMax: 4,
  pageBytesMax: 3.5 * 1024 * 1024,
  heartbeatMs: 15_000,
  streamStallMs: 60_000,
  watchMissedPostsMax: 1_000,
  importAppendEvents: 500,
  importAppendBytes: 1024 * 1024,
  subscriptionFetchRecords: 500,
  subscriptionMessageBytes: 1024 * 1024,
  drainMs: 10_000,
}
