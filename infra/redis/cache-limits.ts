// Every bound of the cache in Redis: a name, a unit, a default.

export type CacheLimits = {
  /** Who asks waits no longer; what comes later counts as not known. */
  readonly answerMs: number
  /** A connection that owes an answer and says nothing for so long is given up. */
  readonly silenceMs: number
  readonly connectMs: number
  /** Opening waits so long for a first connection, then goes on without. */
  readonly openMs: number
  /** The first pause before connecting again; doubles up to the maximum, each shortened by up to half at random. */
  readonly reconnectMs: number
  readonly reconnectMaxMs: number
  /** So many more late or lost answers than good ones open the breaker, for a pause that doubles up to the maximum. */
  readonly failuresMax: number
  readonly pauseMs: number
  readonly pauseMaxMs: number
  /** After a write was refused (Redis is full, or a replica), none is tried for so long. */
  readonly refusedPauseMs: number
  /** Commands and bytes that Redis has not answered yet, also those that nobody waits for any more. */
  readonly unansweredMax: number
  readonly unansweredBytesMax: number
  /** Commands sent in one piece. */
  readonly pipelineCommandsMax: number
  /** Keys of one MGET or DEL. */
  readonly keysMax: number
  /** A greater body is not cached. */
  readonly valueBytesMax: number
  /** Redis forgets an entry after so long: what bounds the entries of epochs that are over. */
  readonly ttlSeconds: number
}

export const CACHE_LIMITS: CacheLimits = {
  answerMs: 50,
  silenceMs: 2_000,
  connectMs: 1_000,
  openMs: 1_000,
  reconnectMs: 50,
  reconnectMaxMs: 2_000,
  failuresMax: 5,
  pauseMs: 500,
  pauseMaxMs: 10_000,
  refusedPauseMs: 1_000,
  unansweredMax: 2_000,
  unansweredBytesMax: 4 * 1024 * 1024,
  pipelineCommandsMax: 256,
  keysMax: 256,
  valueBytesMax: 64 * 1024,
  ttlSeconds: 3_600,
}
