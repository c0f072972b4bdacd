// What travels between gateway and cell, from the model's types to the wire's and back: places, users, and what replies hold
// besides posts. Each pair stands together, so that a field added to one is missed in the other by nobody.

import type { PostId } from '../../cells/model/post-id.ts'
import { toPostId } from '../../cells/model/post-id.ts'
import type { UserKey } from '../../cells/model/user-key.ts'
import type {
  CellStatus,
  Explanation,
  Place,
  PostFound,
  PostView,
  RelationsPage,
  SlotsReport,
  Unread,
  Verdict,
  WatchItem,
} from '../../cells/ports/cell-client.ts'
import {
  type ExplainReply,
  type Place as WirePlace,
  PostFinding,
  type PostReply,
  type RelationsReply,
  type SlotsReply,
  type StatusReply,
  type UnreadReply,
  type WatchItemReply,
} from '../../gen/cellfeed/internal/v1/cell_service.ts'
import { CorruptMessage } from '../runtime/protobuf-fields.ts'
import { bytesOfPosition, positionOfBytes } from './position-bytes.ts'

const KEY_BYTES = 16

export function bytesOfKey(key: UserKey | undefined): Buffer {
  return Buffer.from(key ?? '', 'latin1')
}

/** Undefined for no bytes. Throws CorruptMessage. */
export function keyOfBytes(bytes: Buffer): UserKey | undefined {
  if (bytes.length === 0) return undefined
  if (bytes.length !== KEY_BYTES) throw new CorruptMessage(`a user's key of ${bytes.length} bytes`)
  return bytes.toString('latin1') as UserKey
}

/** Throws CorruptMessage. */
export function keyThere(bytes: Buffer): UserKey {
  const key = keyOfBytes(bytes)
  if (key === undefined) throw new CorruptMessage("a user's key is missing")
  return key
}

export function wirePlace(place: Place): WirePlace
export function wirePlace(place: Place | undefined): WirePlace | undefined
export function wirePlace(place: Place | undefined): WirePlace | undefined {
  if (place === undefined) return undefined
  return { postId: place.postId, author: bytesOfKey(place.author) }
}

/** Throws CorruptMessage. */
export function placeOf(wire: WirePlace | undefined): Place | undefined {
  if (wire === undefined) return undefined
  // The empty key sorts before every author: such a place is above all posts of its id.
  const author = keyOfBytes(wire.author) ?? ('' as UserKey)
  return { postId: postIdThere(wire.postId), author }
}

/** Throws CorruptMessage. */
export function placeThere(wire: WirePlace | undefined): Place {
  const place = placeOf(wire)
  if (place === undefined) throw new CorruptMessage('a place is missing')
  return place
}

export function postIdThere(value: bigint): PostId {
  const postId = toPostId(value)
  if (postId === undefined) throw new CorruptMessage('a post id is missing')
  return postId
}

export function wireUnread(unread: Unread): UnreadReply
export function wireUnread(unread: Unread | undefined): UnreadReply | undefined
export function wireUnread(unread: Unread | undefined): UnreadReply | undefined {
  return unread && { count: unread.count, capped: unread.capped }
}

const FINDINGS = {
  found: PostFinding.FOUND,
  deleted: PostFinding.DELETED,
  unknown: PostFinding.UNKNOWN,
  'not-visible': PostFinding.NOT_VISIBLE,
} as const satisfies Readonly<Record<PostFound['kind'], PostFinding>>

export function wirePost(found: PostFound): PostReply {
  const createdOffset = found.kind === 'found' ? BigInt(found.createdOffset) : 0n
  return { finding: FINDINGS[found.kind], createdOffset }
}

/** Throws CorruptMessage. */
export function postFoundOf(wire: PostReply, post: PostView | undefined): PostFound {
  switch (wire.finding) {
    case PostFinding.FOUND:
      if (post === undefined) throw new CorruptMessage('a post that was found is missing')
      return { kind: 'found', post, createdOffset: Number(wire.createdOffset) }
    case PostFinding.DELETED:
      return { kind: 'deleted' }
    case PostFinding.UNKNOWN:
      return { kind: 'unknown' }
    case PostFinding.NOT_VISIBLE:
      return { kind: 'not-visible' }
    case PostFinding.UNSPECIFIED:
    case PostFinding.UNRECOGNIZED:
      throw new CorruptMessage('a finding of no known kind')
  }
}

export function wireExplanation(why: Explanation): ExplainReply {
  return { ...why, source: why.source ?? '', readerClass: why.readerClass ?? '' }
}

export function explanationOf(wire: ExplainReply): Explanation {
  const source = wire.source === '' ? undefined : (wire.source as Explanation['source'])
  const readerClass =
    wire.readerClass === '' ? undefined : (wire.readerClass as Explanation['readerClass'])
  const { coveredFromSecond, authorPulled, pairLeftOut, slot, lagMs } = wire
  const { classFigures, pairFigures } = wire
  const covered = { source, coveredFromSecond, authorPulled, pairLeftOut }
  const decided = { readerClass, classFigures, pairFigures }
  return { verdict: wire.verdict as Verdict, ...covered, ...decided, slot, lagMs }
}

/** Every figure of a status, and whether it may be undefined: one that is added there does not compile until it is here. */
const FIGURES = {
  lagMs: 'always',
  readers: 'always',
  readersAway: 'always',
  names: 'always',
  windowPosts: 'always',
  windowPostsMax: 'always',
  windowBytes: 'always',
  windowStartsAtMs: 'maybe',
  readersBytes: 'always',
  generations: 'always',
  chunks: 'always',
  chunkBytes: 'always',
  entriesDelivered: 'always',
  entriesFilled: 'always',
  pendingPosts: 'always',
  bodiesCachedBytes: 'always',
  checkpointAgeMs: 'maybe',
  eventsSinceCheckpoint: 'always',
  eventsApplied: 'always',
  eventsRefused: 'always',
  eventsRepeated: 'always',
  watchers: 'always',
  reads: 'always',
  readsFailed: 'always',
  readP99Ms: 'always',
  readersCopied: 'always',
  bytesCopied: 'always',
  authorsDelivered: 'always',
  authorsPulled: 'always',
  classChanges: 'always',
  classesDecidedAgeMs: 'maybe',
  entriesPerS: 'always',
  readsBelowWindowPerS: 'always',
  costDeliverAllUs: 'always',
  costPullAllUs: 'always',
  costAsDecidedUs: 'always',
  pairsLeftOut: 'always',
  readersHeavy: 'always',
  readsInWindow: 'always',
  readsInInbox: 'always',
  readsBelowInbox: 'always',
  costChainUs: 'always',
  costWalkedUs: 'always',
  costEdgeUs: 'always',
  costEntryUs: 'always',
  costEntryBytes: 'always',
  costPullUs: 'always',
  costChunkUs: 'always',
  costInboxUs: 'always',
} as const satisfies {
  readonly [Name in Exclude<
    keyof CellStatus,
    'cell' | 'ready' | 'position' | 'logEnd' | 'openGap'
  >]: undefined extends CellStatus[Name] ? 'maybe' : 'always'
}
type Figures = Omit<CellStatus, 'cell' | 'ready' | 'position' | 'logEnd' | 'openGap'>

/** Its position is the reply's. */
export function wireStatus(status: CellStatus): StatusReply {
  const figures: Record<string, number> = {}
  for (const name of Object.keys(FIGURES) as (keyof Figures)[]) {
    const figure = status[name]
    if (figure !== undefined) figures[name] = figure
  }
  return {
    cell: status.cell,
    ready: status.ready,
    logEnd: bytesOfPosition(status.logEnd),
    figures,
    openGap: status.openGap.map((part) => ({
      ...part,
      fromOffset: BigInt(part.fromOffset),
      toOffset: BigInt(part.toOffset),
    })),
  }
}

/** A figure that a cell of an older version does not tell is 0. */
export function statusOf(wire: StatusReply, position: Buffer): CellStatus {
  const { cell, ready, logEnd } = wire
  const figures = Object.entries(FIGURES).map(([name, told]) => [
    name,
    wire.figures[name] ?? (told === 'always' ? 0 : undefined),
  ])
  return {
    cell,
    ready,
    position: positionOfBytes(position),
    logEnd: positionOfBytes(logEnd),
    openGap: wire.openGap.map((part) => ({
      ...part,
      fromOffset: Number(part.fromOffset),
      toOffset: Number(part.toOffset),
    })),
    ...(Object.fromEntries(figures) as Figures),
  }
}

export function wireRelations({ related, readMark, next }: RelationsPage): RelationsReply {
  const wire = related.map((each) => ({ ...each, user: bytesOfKey(each.user) }))
  return { related: wire, readMark, next: bytesOfKey(next) }
}

/** Throws CorruptMessage. */
export function relationsOf(wire: RelationsReply): RelationsPage {
  const related = wire.related.map((each) => ({ ...each, user: keyThere(each.user) }))
  const readMark = wire.readMark === undefined ? undefined : postIdThere(wire.readMark)
  return { related, readMark, next: keyOfBytes(wire.next) }
}

/** Post and position of an item are the reply's. */
export function wireItem(item: WatchItem): WatchItemReply['item'] {
  switch (item.kind) {
    case 'added':
      return { $case: 'added', value: {} }
    case 'edited':
      return { $case: 'edited', value: {} }
    case 'removed':
      return { $case: 'removed', value: { post: wirePlace(item), authorId: item.authorId } }
    case 'read-mark':
      return { $case: 'readMark', value: item.postId }
    case 'position':
      return { $case: 'at', value: {} }
    case 'reload':
      return { $case: 'reload', value: item.reason }
  }
}

/** Undefined for an item of a kind that this version does not know. Throws CorruptMessage. */
export function watchItemOf(
  { item }: WatchItemReply,
  reply: { readonly position: Buffer; readonly posts: readonly PostView[] },
): WatchItem | undefined {
  const position = positionOfBytes(reply.position)
  switch (item?.$case) {
    case 'added':
    case 'edited': {
      const [post] = reply.posts
      if (post === undefined) throw new CorruptMessage('an item without its post')
      return { kind: item.$case, post, position }
    }
    case 'removed': {
      const { post, authorId } = item.value
      return { kind: 'removed', ...placeThere(post), authorId, position }
    }
    case 'readMark':
      return { kind: 'read-mark', postId: postIdThere(item.value), position }
    case 'at':
      return { kind: 'position', position }
    case 'reload': {
      const reason = item.value as Extract<WatchItem, { readonly kind: 'reload' }>['reason']
      return { kind: 'reload', reason, position }
    }
    case undefined:
      return undefined
  }
}

export function wireSlots(report: Omit<SlotsReport, 'position'>): SlotsReply {
  return {
    ...report,
    logEnd: bytesOfPosition(report.logEnd ?? []),
    prepared: [...report.prepared],
    arrived: [...report.arrived],
    retained: [...report.retained],
    failures: [...report.failures],
    copying: [...report.copying],
    loads: [...report.loads],
  }
}
