// Which partition holds an event: the hash of its key decides, so that everything about one user keeps its order. Word 0 of
// the key decides the slot; another word is used here, so that the users of one slot spread over all partitions.

import { type Fact, routeOf, type Unreadable } from '../../cells/model/event.ts'
import { partitionNumber } from '../../cells/model/position.ts'
import { keyWord } from '../../cells/model/user-key.ts'

export const PARTITIONS_PER_TOPIC_DEFAULT = 8

/** Numbered through both topics. */
export function partitionOf(fact: Exclude<Fact, Unreadable>, partitionsPerTopic: number): number {
  const { topic, key } = routeOf(fact)
  return partitionNumber(topic, keyWord(key.key, 1) % partitionsPerTopic, partitionsPerTopic)
}
