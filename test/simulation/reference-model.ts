// What is true, as plainly as it can be said: the log up to a position, filtered by the rules of the design, and sorted. It
// remembers every event id for ever and keeps no index, window, inbox or coverage; every state after every record is kept.
//
// Every fact is decided by one partition alone, so the state of the cluster at a position is nothing but the states of its
// partitions there, side by side.

import type { Audience, Fact, PostName, Unreadable } from '../../cells/model/event.ts'
import { ID_EPOCH_MS, msOf, type PostId } from '../../cells/model/post-id.ts'
import type { Position } from '../../cells/model/position.ts'
import type { UserKey } from '../../cells/model/user-key.ts'
import type { LogRecord } from '../../cells/ports/firehose.ts'
import { known } from './violation.ts'

export type ModelRules = {
  readonly repeatWindowMs: number
  readonly idAheadMaxMs: number
  readonly relationMemoryMs: number
}

export type ModelPost = {
  readonly author: UserKey
  readonly postId: PostId
  readonly createdOffset: number
  readonly head: Uint8Array
  readonly content: Uint8Array
  readonly audience: Audience
  readonly origin: { readonly author: UserKey; readonly postId: PostId } | undefined
}

/** A relation as it stands: a live change counts from its append time, in whole seconds. */
export type Relation = {
  readonly on: boolean
  readonly hideReblogs: boolean
  readonly liveSecond: number
}

export type PartitionState = {
  /** Running maximum of append times. */
  readonly logMs: number
  /** By author and id; a deleted post is a mark for ever. */
  readonly posts: ReadonlyMap<string, ModelPost | 'deleted'>
  readonly follows: ReadonlyMap<string, Relation>
  readonly blocks: ReadonlyMap<string, Relation>
  readonly mutes: ReadonlyMap<string, Relation>
  readonly readMarks: ReadonlyMap<UserKey, PostId>
  readonly deletedUsers: ReadonlySet<UserKey>
}

export type Judgement = 'applied' | 'repeated' | 'refused'

const NOTHING: PartitionState = {
  logMs: 0,
  posts: new Map(),
  follows: new Map(),
  blocks: new Map(),
  mutes: new Map(),
  readMarks: new Map(),
  deletedUsers: new Set(),
}

export class ReferenceModel {
  readonly #rules: ModelRules
  readonly #ids: Set<bigint>[]
  readonly #offsets: number[][]
  readonly #states: PartitionState[][]

  constructor(options: { readonly partitions: number; readonly rules: ModelRules }) {
    this.#rules = options.rules
    const perPartition = <T>(make: () => T): T[] => Array.from({ length: options.partitions }, make)
    this.#ids = perPartition(() => new Set<bigint>())
    this.#offsets = perPartition(() => [])
    this.#states = perPartition(() => [NOTHING])
  }

  /** Takes the next record of a partition. */
  append(partition: number, record: LogRecord): Judgement {
    const states = known(this.#states[partition], 'a partition')
    const before = known(states.at(-1), 'a state')
    const after = { ...before, logMs: Math.max(before.logMs, record.appendedAtMs) }
    const judgement = this.#judge(partition, record, after.logMs)
    known(this.#offsets[partition], 'offsets').push(record.offset)
    states.push(judgement === 'applied' ? applied(after, record, this.#rules) : after)
    return judgement
  }

  /** The partition's state when everything before the offset is applied. */
  state(partition: number, offset: number): PartitionState {
    return known(this.#states[partition]?.[this.#countBefore(partition, offset)], 'a state')
  }

  /** All states that the partition goes through between two offsets, both ends included. */
  states(partition: number, from: number, to: number): readonly PartitionState[] {
    const first = this.#countBefore(partition, from)
    const last = Math.max(first, this.#countBefore(partition, to))
    return known(this.#states[partition], 'a partition').slice(first, last + 1)
  }

  /** Everything that was ever created in the log, marks left out, as of a position. */
  posts(at: Position): ModelPost[] {
    return at.flatMap((offset, partition) =>
      [...this.state(partition, offset).posts.values()].filter((post) => post !== 'deleted'),
    )
  }

  #countBefore(partition: number, offset: number): number {
    const offsets = known(this.#offsets[partition], 'a partition')
    let count = offsets.length
    while (count > 0 && (offsets[count - 1] ?? 0) >= offset) count--
    return count
  }

  /** The rule of repeats, by a memory that never forgets. */
  #judge(partition: number, { event }: LogRecord, logMs: number): Judgement {
    if (event.id === 0n || event.fact.kind === 'unreadable') return 'refused'
    if (Math.abs(msOf(event.id) - logMs) > this.#rules.repeatWindowMs) return 'refused'
    const ids = known(this.#ids[partition], 'ids')
    if (ids.has(event.id)) return 'repeated'
    ids.add(event.id)
    return 'applied'
  }
}

function applied(state: PartitionState, record: LogRecord, rules: ModelRules): PartitionState {
  const fact = record.event.fact
  switch (fact.kind) {
    case 'post-created':
    case 'post-edited':
    case 'post-deleted':
      return msOf(fact.postId) > state.logMs + rules.idAheadMaxMs
        ? state
        : { ...state, posts: withPost(state.posts, fact, record.offset) }
    case 'followed':
      return { ...state, follows: withRelation(state.follows, state.logMs, fact, rules) }
    case 'unfollowed':
      return { ...state, follows: withRelation(state.follows, state.logMs, fact, rules) }
    case 'blocked':
    case 'unblocked':
      return { ...state, blocks: withRelation(state.blocks, state.logMs, fact, rules) }
    case 'muted':
    case 'unmuted':
      return { ...state, mutes: withRelation(state.mutes, state.logMs, fact, rules) }
    case 'read-marked': {
      const old = state.readMarks.get(fact.user.key) ?? 0n
      if (fact.postId <= old) return state
      return { ...state, readMarks: new Map(state.readMarks).set(fact.user.key, fact.postId) }
    }
    case 'user-deleted':
      return { ...state, deletedUsers: new Set(state.deletedUsers).add(fact.user.key) }
    case 'post-liked':
    case 'post-unliked':
    case 'unreadable':
      return state
  }
}

/** The first create stays, an edit needs a post, a deletion is final. */
function withPost(
  posts: PartitionState['posts'],
  fact: PostName & Extract<Fact, { kind: 'post-created' | 'post-edited' | 'post-deleted' }>,
  offset: number,
): PartitionState['posts'] {
  const key = postKey(fact.author.key, fact.postId)
  const old = posts.get(key)
  if (fact.kind === 'post-deleted') return new Map(posts).set(key, 'deleted')
  if (fact.kind === 'post-edited') {
    if (old === undefined || old === 'deleted') return posts
    return new Map(posts).set(key, { ...old, content: fact.content })
  }
  if (old !== undefined) return posts
  const origin = fact.reblogOf && { author: fact.reblogOf.author.key, postId: fact.reblogOf.postId }
  const { postId, head, content, audience } = fact
  const post = {
    author: fact.author.key,
    postId,
    createdOffset: offset,
    head,
    content,
    audience,
    origin,
  }
  return new Map(posts).set(key, post)
}

type RelationFact = Exclude<Extract<Fact, { readonly asOfMs: number | undefined }>, Unreadable>

/** A live change counts in log order; a snapshot counts only against what is older than it. */
function withRelation(
  relations: ReadonlyMap<string, Relation>,
  logMs: number,
  fact: RelationFact,
  rules: ModelRules,
): ReadonlyMap<string, Relation> {
  const target = 'author' in fact ? fact.author.key : fact.target.key
  const key = relationKey(fact.user.key, target)
  const old = relations.get(key)
  const isSnapshot = fact.asOfMs !== undefined
  if (isSnapshot && fact.asOfMs < logMs - rules.relationMemoryMs) return relations
  if (isSnapshot && secondOf(fact.asOfMs) <= (old?.liveSecond ?? 0)) return relations
  const on = fact.kind === 'followed' || fact.kind === 'blocked' || fact.kind === 'muted'
  const isRemembered = !isSnapshot || !on
  const relation = {
    on,
    hideReblogs: fact.kind === 'followed' && fact.hideReblogs,
    liveSecond: isRemembered ? secondOf(fact.asOfMs ?? logMs) : (old?.liveSecond ?? 0),
  }
  return new Map(relations).set(key, relation)
}

function secondOf(ms: number): number {
  return Math.floor((ms - ID_EPOCH_MS) / 1000)
}

export function postKey(author: UserKey, postId: PostId): string {
  return `${author}/${postId}`
}

export function relationKey(user: UserKey, target: UserKey): string {
  return `${user}>${target}`
}
