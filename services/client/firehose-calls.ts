// The firehose: everything public that happens, in order.

import {
  FirehoseServiceService as methods,
  type FirehoseEvent as WireEvent,
  StartPoint,
  type SubscribeRequest,
} from '../../gen/cellfeed/v1/firehose_service.ts'
import type { CallOptions } from './channel.ts'
import { type Post, type PostContent, type PostRef, toPost, toPostRef } from './post.ts'
import type { Session } from './session.ts'

/** Where a subscription begins. */
export type FirehoseStart =
  | 'earliest'
  | 'latest'
  /** The first events appended at this time or later. */
  | Date
  /** The `position` of an earlier batch: what comes after it. */
  | { readonly position: string }
  /** Partition by partition; those left out start at the latest. */
  | { readonly offsets: readonly PartitionOffset[] }

export interface PartitionOffset {
  readonly partition: number
  readonly offset: bigint
}

/** The place of an event in the log. */
export interface EventPlace {
  /** 64 bits in digits. The same again is the same event again. */
  readonly eventId: string
  readonly partition: number
  readonly offset: bigint
  readonly appendedAt: Date
  /** The user whom the event is about. */
  readonly key: string
}

export type FirehoseEvent = EventPlace &
  (
    | { readonly kind: 'postCreated'; readonly post: Post; readonly imported: boolean }
    | {
        readonly kind: 'postEdited'
        readonly post: PostRef
        readonly content: PostContent
        readonly editedAt: Date | undefined
      }
    | { readonly kind: 'postDeleted'; readonly post: PostRef }
    | {
        readonly kind: 'postLiked' | 'postUnliked'
        readonly userId: string
        readonly post: PostRef
      }
    | {
        readonly kind: 'followed'
        readonly userId: string
        readonly authorId: string
        readonly hideReblogs: boolean
        /** Of an imported follow: the time of its snapshot. */
        readonly asOf: Date | undefined
      }
    | {
        readonly kind: 'unfollowed'
        readonly userId: string
        readonly authorId: string
        readonly asOf: Date | undefined
      }
    | { readonly kind: 'userDeleted'; readonly userId: string }
  )

export interface FirehoseBatch {
  /** In order within each partition. Empty: a sign of life. */
  readonly events: readonly FirehoseEvent[]
  /** The place after all these events: keep it when they are dealt with, and go on from it. */
  readonly position: string
}

export interface FirehosePositions {
  /** The log's identity: positions of another log mean nothing here. */
  readonly logId: string
  readonly partitions: readonly PartitionRange[]
  readonly earliestPosition: string
  readonly latestPosition: string
}

export interface PartitionRange {
  readonly partition: number
  readonly earliestOffset: bigint
  /** Where the next event will be. */
  readonly latestOffset: bigint
}

export interface FirehoseCalls {
  /**
   * Events from a place on (the latest unless given), and then those that happen, until the loop is
   * left or the signal fires. A broken connection is opened again where it was.
   */
  firehose(options?: {
    readonly from?: FirehoseStart
    readonly signal?: AbortSignal | undefined
  }): AsyncGenerator<FirehoseBatch, void, void>

  /** Where the log begins and ends. */
  firehosePositions(options?: CallOptions): Promise<FirehosePositions>
}

export function firehoseCalls(session: Session): FirehoseCalls {
  return {
    async *firehose(options = {}) {
      let start = fromStart(options.from ?? 'latest')
      // From the latest on, a break before the first batch must not pass over what came meanwhile.
      if (options.from === undefined || options.from === 'latest') {
        const { latestPosition } = await session.ask(methods.getPositions, {}, options)
        start = { $case: 'position', value: latestPosition }
      }
      const request = (): SubscribeRequest => ({ start })
      for await (const answer of session.stream(methods.subscribe, { request }, options)) {
        const events = answer.events.map(toEvent).filter((event) => event !== undefined)
        yield { events, position: answer.position }
        if (answer.position !== '') start = { $case: 'position', value: answer.position }
      }
    },

    async firehosePositions(options) {
      const answer = await session.ask(methods.getPositions, {}, options)
      return {
        logId: answer.logId,
        partitions: answer.partitions.map(({ partition, earliestOffset, latestOffset }) => ({
          partition,
          earliestOffset,
          latestOffset,
        })),
        earliestPosition: answer.earliestPosition,
        latestPosition: answer.latestPosition,
      }
    },
  }
}

function fromStart(from: FirehoseStart): SubscribeRequest['start'] {
  if (from === 'earliest') return { $case: 'point', value: StartPoint.EARLIEST }
  if (from === 'latest') return { $case: 'point', value: StartPoint.LATEST }
  if (from instanceof Date) return { $case: 'time', value: from }
  if ('position' in from) return { $case: 'position', value: from.position }
  return { $case: 'offsets', value: { offsets: from.offsets.map((place) => ({ ...place })) } }
}

/** Undefined for a kind that this version does not know. */
function toEvent(wire: WireEvent): FirehoseEvent | undefined {
  const place = {
    eventId: wire.eventId,
    partition: wire.partition,
    offset: wire.offset,
    appendedAt: wire.appendedAt ?? new Date(0),
    key: wire.key,
  }
  const kind = wire.kind
  switch (kind?.$case) {
    case 'postCreated': {
      const { post, imported } = kind.value
      return { ...place, kind: kind.$case, post: toPost(post), imported }
    }
    case 'postEdited': {
      const { text, tags, payload, editedAt } = toPost(kind.value.content)
      const content = { text, tags, payload }
      return { ...place, kind: kind.$case, post: toPostRef(kind.value.post), content, editedAt }
    }
    case 'postDeleted':
      return { ...place, kind: kind.$case, post: toPostRef(kind.value.post) }
    case 'postLiked':
    case 'postUnliked': {
      const { userId, post } = kind.value
      return { ...place, kind: kind.$case, userId, post: toPostRef(post) }
    }
    case 'followed':
    case 'unfollowed':
    case 'userDeleted':
      return { ...place, kind: kind.$case, ...kind.value } as FirehoseEvent
    case undefined:
      return undefined
  }
}
