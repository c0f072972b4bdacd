// Whether the log is still the one that was being read. A topic that was deleted and made anew keeps its name, its cluster, and
// soon its offsets; only its records differ. So of each topic one record that was read is remembered (offset, event id, append
// time), and read again when a connection was lost and every few seconds. A topic is deleted as a whole: one partition speaks
// for all of them.

import { FirehoseGap, type LogBounds, type LogRecord } from '../../cells/ports/firehose.ts'
import { topicOf } from '../../cells/model/position.ts'
import type { EventId } from '../../cells/model/post-id.ts'
import type { Topic } from '../../cells/model/event.ts'
import { assertWithin, WAY_OUT } from './log-gap.ts'
import type { LogPartitions } from './log-partitions.ts'
import { isOutOfRange, type LogReader } from './log-reader.ts'
import { decodeRecord } from './raw-records.ts'

type Anchor = {
  readonly number: number
  readonly offset: number
  readonly id: EventId
  readonly appendedAtMs: number
}

type AnchorReader = Pick<LogReader, 'bounds' | 'fetchRaw'>

/** At least the one batch that holds the record is read, whatever its size. */
const ONE_BATCH = { bytesMax: 1, partitionBytesMax: 1 }

export class LogAnchors {
  readonly #reader: AnchorReader
  readonly #partitions: LogPartitions
  readonly #anchors = new Map<Topic, Anchor>()

  constructor(reader: AnchorReader, partitions: LogPartitions) {
    this.#reader = reader
    this.#partitions = partitions
  }

  /** The newest record read is the one that retention removes last. */
  remember(number: number, { offset, event, appendedAtMs }: LogRecord): void {
    const topic = topicOf(number, this.#partitions.perTopic)
    this.#anchors.set(topic, { number, offset, id: event.id, appendedAtMs })
  }

  /** Before the first record came: the one before the place where reading begins. */
  async begin(next: readonly number[], bounds: LogBounds): Promise<void> {
    for (const [number, offset] of next.entries()) {
      const topic = topicOf(number, this.#partitions.perTopic)
      if (this.#anchors.has(topic) || offset <= (bounds.start[number] ?? 0)) continue
      const record = await this.#read(number, offset - 1)
      if (record !== undefined) this.remember(number, record)
    }
  }

  async check(): Promise<void> {
    for (const [topic, anchor] of this.#anchors) {
      const { number, offset } = anchor
      const now = await this.#read(number, offset)
      // Retention overtook it: the next record that is read takes its place.
      if (now === undefined) this.#anchors.delete(topic)
      else if (now.event.id !== anchor.id || now.appendedAtMs !== anchor.appendedAtMs) {
        throw new FirehoseGap(
          `${this.#partitions.describe(number)}, offset ${offset}: another record than the one read before: ` +
            `the topic was made anew. ${WAY_OUT}`,
        )
      }
    }
  }

  /** Undefined when the log starts after it. Throws FirehoseGap when the log ends before it. */
  async #read(number: number, offset: number): Promise<LogRecord | undefined> {
    try {
      const { records } = await this.#reader.fetchRaw(number, offset, ONE_BATCH)
      const [first] = records
      if (first !== undefined && Number(first.offset) === offset) return decodeRecord(first, offset)
    } catch (error) {
      if (!isOutOfRange(error)) throw error
    }
    const bounds = await this.#reader.bounds()
    if (offset < (bounds.start[number] ?? 0)) return undefined
    assertWithin(bounds, { partitions: this.#partitions, number, offset: offset + 1 })
    return undefined
  }
}
