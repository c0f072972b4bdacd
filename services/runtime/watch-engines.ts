// What the adapters count, as metrics, read whenever metrics are asked for.

import type { Metrics } from './metrics.ts'

export type KafkaCounts = {
  readonly bytesInFlight: number
  readonly deadLetters: { readonly found: number; readonly lost: number }
  /** Unix ms, of each follower that runs. */
  readonly followersAnsweredAtMs: readonly number[]
}
export type RedisCounts = {
  readonly hits: number
  readonly misses: number
  readonly unasked: number
  readonly refused: number
  readonly late: number
  readonly lost: number
  readonly epochs: number
  readonly isUp: boolean
  readonly breaker: 'closed' | 'open' | 'probing'
}

export function watchKafka(metrics: Metrics, counts: () => KafkaCounts): void {
  metrics.read({
    name: 'cellfeed_firehose_bytes_in_flight',
    help: 'Bytes of events on their way to Kafka, not yet confirmed',
    value: () => counts().bytesInFlight,
  })
  metrics.read({
    name: 'cellfeed_firehose_dead_letters',
    help: 'Records since the start that are no event: passed over, kept in the dead-letter topic',
    value: () => counts().deadLetters.found,
  })
  metrics.read({
    name: 'cellfeed_firehose_dead_letters_lost',
    help: 'Those of them that could not be kept',
    value: () => counts().deadLetters.lost,
  })
  metrics.read({
    name: 'cellfeed_firehose_silent_ms',
    help: 'How long ago Kafka last answered the follower that waits longest; 0 without one',
    value: () => {
      const answered = counts().followersAnsweredAtMs
      return answered.length === 0 ? 0 : Math.max(0, Date.now() - Math.min(...answered))
    },
  })
}

const CACHE_OUTCOMES = ['hits', 'misses', 'unasked', 'refused', 'late', 'lost'] as const

export function watchRedis(metrics: Metrics, counts: () => RedisCounts): void {
  for (const outcome of CACHE_OUTCOMES) {
    metrics.read({
      name: `cellfeed_cache_${outcome}`,
      help: CACHE_HELP[outcome],
      value: () => counts()[outcome],
    })
  }
  metrics.read({
    name: 'cellfeed_cache_epochs',
    help: 'Cache epochs since the start: each begins with an empty cache',
    value: () => counts().epochs,
  })
  metrics.read({
    name: 'cellfeed_cache_up',
    help: 'Whether there is a connection to Redis that is asked (1) or not (0)',
    value: () => (counts().isUp && counts().breaker === 'closed' ? 1 : 0),
  })
}

const CACHE_HELP: Readonly<Record<(typeof CACHE_OUTCOMES)[number], string>> = {
  hits: 'Bodies found in Redis since the start',
  misses: 'Bodies that Redis did not have',
  unasked: 'Bodies that Redis was not asked for: no connection, breaker open, too much unanswered',
  refused: 'Calls that Redis refused',
  late: 'Calls without an answer in time',
  lost: 'Calls that ended with their connection',
}
