// A position: for each partition of both topics the next offset not yet applied. Partitions are numbered through: the public
// topic's first, then the private topic's.

import type { Topic } from './event.ts'

export type Position = readonly number[]

export function zeroPosition(partitions: number): number[] {
  return new Array<number>(partitions).fill(0)
}

/** Everything before `needed` has been applied at `at`. Partitions that `needed` does not name (0) are met. */
export function hasReached(at: Position, needed: Position): boolean {
  return needed.every((offset, partition) => (at[partition] ?? 0) >= offset)
}

export function smallerOf(a: Position, b: Position): number[] {
  return a.map((offset, partition) => Math.min(offset, b[partition] ?? 0))
}

export function largerOf(a: Position, b: Position): number[] {
  return a.map((offset, partition) => Math.max(offset, b[partition] ?? 0))
}

/** Events between the two positions, at most: offsets may have gaps. */
export function eventsBetween(from: Position, to: Position): number {
  return to.reduce(
    (sum, offset, partition) => sum + Math.max(0, offset - (from[partition] ?? 0)),
    0,
  )
}

/** The number of a topic's partition when the partitions of both topics are numbered through. */
export function partitionNumber(
  topic: Topic,
  partition: number,
  partitionsPerTopic: number,
): number {
  return topic === 'public' ? partition : partitionsPerTopic + partition
}

export function topicOf(partition: number, partitionsPerTopic: number): Topic {
  return partition < partitionsPerTopic ? 'public' : 'private'
}
