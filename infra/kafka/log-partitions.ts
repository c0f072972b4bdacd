// The log's partitions as Kafka has them: number p of the position <-> partition of a topic. The public topic's come first.

import { type Fact, routeOf, type Unreadable } from '../../cells/model/event.ts'
import { partitionNumber } from '../../cells/model/position.ts'
import { topicNames } from './kafka-options.ts'
import { partitionOfKey } from './murmur2.ts'

export type TopicPartition = { readonly topic: string; readonly partition: number }

export class LogPartitions {
  readonly perTopic: number
  /** By number. */
  readonly all: readonly TopicPartition[]
  readonly #firstOf: ReadonlyMap<string, number>

  constructor(prefix: string, perTopic: number) {
    const topics = topicNames(prefix)
    this.perTopic = perTopic
    this.all = [topics.public, topics.private].flatMap((topic) =>
      Array.from({ length: perTopic }, (_, partition) => ({ topic, partition })),
    )
    this.#firstOf = new Map([
      [topics.public, 0],
      [topics.private, perTopic],
    ])
  }

  number({ topic, partition }: TopicPartition): number {
    const first = this.#firstOf.get(topic)
    if (first === undefined || partition >= this.perTopic) {
      throw new RangeError(`${topic}-${partition} is no partition of this log`)
    }
    return first + partition
  }

  at(number: number): TopicPartition {
    const found = this.all[number]
    if (found === undefined) throw new RangeError(`there is no partition ${number}`)
    return found
  }

  /** For messages: the number, and what an administrator calls it. */
  describe(number: number): string {
    const { topic, partition } = this.at(number)
    return `partition ${number} (${topic}-${partition})`
  }

  /** Where a fact belongs, and the bytes that decide it. */
  place(fact: Exclude<Fact, Unreadable>): { readonly number: number; readonly key: Buffer } {
    const { topic, key } = routeOf(fact)
    const bytes = Buffer.from(key.id)
    const partition = partitionOfKey(bytes, this.perTopic)
    return { number: partitionNumber(topic, partition, this.perTopic), key: bytes }
  }
}
