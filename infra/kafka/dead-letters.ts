// Records that are no event at all, kept aside for people: the bytes as they were, under the position as key, with topic,
// partition, offset and reason as headers. The log goes on without them, so nothing here may slow it down or fail it: what can
// not be written is counted. Every cell finds the same dead records, and again at a replay; the topic is compacted by key.

import type { RawRecord } from './broker-link.ts'
import type { Appender } from './appender.ts'
import type { KafkaLog } from './kafka-log.ts'
import type { TopicPartition } from './log-partitions.ts'

export type DeadLetter = TopicPartition & {
  readonly offset: number
  readonly reason: string
  readonly record: RawRecord | undefined
}

/** As a process counts them since it began. */
export type DeadLetterCounts = { readonly found: number; readonly lost: number }

export class DeadLetters {
  readonly #appender: Pick<Appender, 'append'>
  readonly #pendingMax: number
  readonly #log: KafkaLog
  #pending = 0
  #found = 0
  #lost = 0

  constructor(appender: Pick<Appender, 'append'>, pendingMax: number, log: KafkaLog) {
    this.#appender = appender
    this.#pendingMax = pendingMax
    this.#log = log
  }

  get counts(): DeadLetterCounts {
    return { found: this.#found, lost: this.#lost }
  }

  put({ topic, partition, offset, reason, record }: DeadLetter): void {
    this.#found++
    const position = `${topic}-${partition}@${offset}`
    this.#log.warn('a record of the firehose is no event and was passed over', { position, reason })
    if (this.#pending >= this.#pendingMax) {
      this.#lost++
      return
    }
    this.#pending++
    const message = {
      key: position,
      // Empty instead of null, which would tell compaction to forget the key.
      value: record?.value ?? Buffer.alloc(0),
      headers: {
        topic,
        partition: String(partition),
        offset: String(offset),
        reason,
        ...(record?.key != null && { key: record.key }),
      },
    }
    const settled = (isLost: boolean) => {
      this.#pending--
      if (isLost) this.#lost++
    }
    this.#appender.append([{ lane: 0, message }]).then(
      () => settled(false),
      (error: unknown) => {
        settled(true)
        this.#log.warn('a dead letter was not written', { position, error: String(error) })
      },
    )
  }
}
