// Whether something shows, said as facts that each one partition decides. Between two positions a cell may have stood anywhere,
// partition by partition, so a claim is checked as: could it have been shown at all (ever), must it have been shown (always).

import { partitionNumber, type Position } from '../../cells/model/position.ts'
import type { PostId } from '../../cells/model/post-id.ts'
import { keyWord, type UserKey } from '../../cells/model/user-key.ts'
import {
  type ModelPost,
  type PartitionState,
  postKey,
  type ReferenceModel,
  relationKey,
} from './reference-model.ts'
import { known } from './violation.ts'

/** Where a cell stood during a call: not before `from`, not after `to`. */
export type Span = { readonly from: Position; readonly to: Position }

export type Condition = {
  readonly partition: number
  readonly holds: (state: PartitionState) => boolean
}

export type PostRef = Pick<ModelPost, 'author' | 'postId'>

export class Belonging {
  readonly model: ReferenceModel
  readonly #partitionsPerTopic: number

  constructor(model: ReferenceModel, partitionsPerTopic: number) {
    this.model = model
    this.#partitionsPerTopic = partitionsPerTopic
  }

  /** The partition of everything public about a user. */
  publicOf(user: UserKey): number {
    const per = this.#partitionsPerTopic
    return partitionNumber('public', keyWord(user, 1) % per, per)
  }

  privateOf(user: UserKey): number {
    const per = this.#partitionsPerTopic
    return partitionNumber('private', keyWord(user, 1) % per, per)
  }

  /** All that must hold for a post to be on a dashboard. */
  onDashboard(viewer: UserKey, post: PostRef): Condition[] {
    const key = postKey(post.author, post.postId)
    const edge = relationKey(viewer, post.author)
    const followed: Condition = {
      partition: this.publicOf(post.author),
      holds: (state) => {
        const found = state.posts.get(key)
        if (found === undefined || found === 'deleted') return false
        if (state.deletedUsers.has(post.author)) return false
        if (viewer === post.author) return true
        const relation = state.follows.get(edge)
        if (relation?.on !== true) return false
        return !(relation.hideReblogs && found.origin !== undefined)
      },
    }
    return [followed, this.alive(viewer), ...this.notHidden(viewer, post.author)]
  }

  /** All that must hold for a viewer to see a post by name, on its author's page or as an origin. */
  visible(viewer: UserKey, post: PostRef): Condition[] {
    const key = postKey(post.author, post.postId)
    const shown: Condition = {
      partition: this.publicOf(post.author),
      holds: (state) => {
        const found = state.posts.get(key)
        if (found === undefined || found === 'deleted') return false
        if (state.deletedUsers.has(post.author)) return false
        if (found.audience === 'public' || viewer === post.author) return true
        return state.follows.get(relationKey(viewer, post.author))?.on === true
      },
    }
    return [shown, ...this.notHidden(viewer, post.author)]
  }

  /** What anyone may see. */
  isPublic(post: PostRef): Condition[] {
    const key = postKey(post.author, post.postId)
    const holds = (state: PartitionState): boolean => {
      const found = state.posts.get(key)
      if (found === undefined || found === 'deleted') return false
      return found.audience === 'public' && !state.deletedUsers.has(post.author)
    }
    return [{ partition: this.publicOf(post.author), holds }]
  }

  /** The follow itself, whatever is hidden. */
  follows(user: UserKey, author: UserKey): Condition[] {
    const edge = relationKey(user, author)
    const holds = (state: PartitionState): boolean =>
      state.follows.get(edge)?.on === true && !state.deletedUsers.has(author)
    return [{ partition: this.publicOf(author), holds }, this.alive(user)]
  }

  alive(user: UserKey): Condition {
    return {
      partition: this.publicOf(user),
      holds: (state) => !state.deletedUsers.has(user),
    }
  }

  /** No mute, and no block either way. */
  notHidden(viewer: UserKey, author: UserKey): Condition[] {
    if (viewer === author) return []
    const mine = relationKey(viewer, author)
    const theirs = relationKey(author, viewer)
    return [
      {
        partition: this.privateOf(author),
        holds: (state) => state.mutes.get(mine)?.on !== true && state.blocks.get(mine)?.on !== true,
      },
      {
        partition: this.privateOf(viewer),
        holds: (state) => state.blocks.get(theirs)?.on !== true,
      },
    ]
  }

  /** Whether the cell may have stood where all conditions held. */
  ever(conditions: readonly Condition[], span: Span): boolean {
    return this.#partitionsOf(conditions).every((partition) => {
      const here = conditions.filter((condition) => condition.partition === partition)
      return this.#states(partition, span).some((state) => here.every(({ holds }) => holds(state)))
    })
  }

  /** Whether all conditions held wherever the cell may have stood. */
  always(conditions: readonly Condition[], span: Span): boolean {
    return conditions.every(({ partition, holds }) => this.#states(partition, span).every(holds))
  }

  /** Every post that was there anywhere in the span, marks left out. */
  posts(span: Span): PostRef[] {
    const posts = new Map<string, PostRef>()
    for (let partition = 0; partition < this.#partitionsPerTopic; partition++) {
      for (const state of this.#states(partition, span)) {
        for (const [key, post] of state.posts) if (post !== 'deleted') posts.set(key, post)
      }
    }
    return [...posts.values()]
  }

  /** Every version of a post that the cell may have seen. */
  versions(post: PostRef, span: Span): ModelPost[] {
    const key = postKey(post.author, post.postId)
    return this.#states(this.publicOf(post.author), span)
      .map((state) => state.posts.get(key))
      .filter((found) => found !== undefined && found !== 'deleted')
  }

  readMarks(user: UserKey, span: Span): (PostId | undefined)[] {
    return this.#states(this.privateOf(user), span).map((state) => state.readMarks.get(user))
  }

  /** The user's states of one relation, over the span. */
  statesOf(partition: number, span: Span): readonly PartitionState[] {
    return this.#states(partition, span)
  }

  #partitionsOf(conditions: readonly Condition[]): number[] {
    return [...new Set(conditions.map(({ partition }) => partition))]
  }

  #states(partition: number, { from, to }: Span): readonly PartitionState[] {
    return this.model.states(
      partition,
      known(from[partition], 'an offset'),
      known(to[partition], 'an offset'),
    )
  }
}

/** Dashboard order: post id descending, then author key ascending. */
export function compareInDashboard(a: PostRef, b: PostRef): number {
  if (a.postId !== b.postId) return a.postId > b.postId ? -1 : 1
  return a.author < b.author ? -1 : a.author > b.author ? 1 : 0
}
