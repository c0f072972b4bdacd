// One post: created under an id of its own (again is the same post), edited, deleted for good. A delete is final whatever
// comes after it, so an unknown one stays open until one is acknowledged; an edit that was acknowledged found the post there.

import type { Floor, Operation } from './operation.ts'

type Edit = { readonly operation: Operation; readonly text: string }

export type WrittenPost = {
  readonly author: string
  readonly postId: string
  readonly text: string
  readonly origin?: PostFact | undefined
}

export class PostFact {
  readonly author: string
  readonly postId: string
  readonly text: string
  /** What it reblogs. */
  readonly origin: PostFact | undefined
  readonly creates: Operation[] = []
  readonly edits: Edit[] = []
  readonly deletes: Operation[] = []

  constructor(post: WrittenPost) {
    this.author = post.author
    this.postId = post.postId
    this.text = post.text
    this.origin = post.origin
  }

  get name(): string {
    return `${this.author}/${this.postId}`
  }

  mustBeThere(floor: Floor, until: number): boolean {
    return this.#surelyCreated(floor) && !this.mayBeDeleted(until)
  }

  mayBeThere(floor: Floor, until: number): boolean {
    return this.creates.some((create) => create.isPossible(until)) && !this.#surelyDeleted(floor)
  }

  mayBeDeleted(until: number): boolean {
    return this.deletes.some((operation) => operation.isPossible(until))
  }

  mayRead(text: string, floor: Floor, until: number): boolean {
    const known = this.edits.findLastIndex(({ operation }) => operation.isKnown(floor))
    if ((this.edits[known]?.text ?? this.text) === text) return true
    return this.edits
      .slice(known + 1)
      .some((edit) => edit.text === text && edit.operation.isPossible(until))
  }

  /** What the last edit that may have happened wanted. */
  get lastText(): string {
    return (
      this.edits.findLast(({ operation }) => operation.outcome !== 'refused')?.text ?? this.text
    )
  }

  /** Acknowledged, and nobody tried to delete it. */
  get isLive(): boolean {
    const isCreated = this.creates.some(({ outcome }) => outcome === 'acknowledged')
    return isCreated && this.deletes.every(({ outcome }) => outcome === 'refused')
  }

  /** The operation whose outcome is open and that nothing later settled. */
  get open(): 'create' | 'edit' | 'delete' | undefined {
    if (isOpen(this.deletes)) return 'delete'
    if (this.deletes.some(({ outcome }) => outcome === 'acknowledged')) return undefined
    if (isOpen(this.creates) && !this.edits.some(({ operation }) => isAcknowledged(operation)))
      return 'create'
    const lastEdit = this.edits.findLast(({ operation }) => operation.outcome !== 'refused')
    return lastEdit?.operation.outcome === 'unknown' ? 'edit' : undefined
  }

  /** For people. */
  get story(): string {
    const operations = [
      ...this.creates,
      ...this.edits.map((edit) => edit.operation),
      ...this.deletes,
    ]
    return `${this.name}: ${operations.map(({ story }) => story).join('; ')}`
  }

  #surelyCreated(floor: Floor): boolean {
    const operations = [...this.creates, ...this.edits.map((edit) => edit.operation)]
    return operations.some((operation) => operation.isKnown(floor))
  }

  #surelyDeleted(floor: Floor): boolean {
    return this.deletes.some((operation) => operation.isKnown(floor))
  }
}

function isOpen(operations: readonly Operation[]): boolean {
  const isUnknown = operations.some(({ outcome }) => outcome === 'unknown')
  return isUnknown && !operations.some(isAcknowledged)
}

function isAcknowledged({ outcome }: Operation): boolean {
  return outcome === 'acknowledged'
}
