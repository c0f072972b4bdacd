// Writers: what the users do, by dice, as the gateways put it into the firehose: every kind of event, sensible or not. A client
// that wrote holds the token of its write from then on.

import type { Fact, PostCreated, PostName, Unreadable } from '../../cells/model/event.ts'
import { zeroPosition } from '../../cells/model/position.ts'
import { firstIdAt, type PostId } from '../../cells/model/post-id.ts'
import type { UserRef } from '../../cells/model/user-key.ts'
import type { PostRef } from './belonging.ts'
import type { Gateway } from './gateway.ts'
import type { Dice } from './random.ts'
import type { World } from './world.ts'

const ACTS = {
  publish: 40,
  'publish at an old id': 3,
  'publish in the future': 2,
  "publish at another's id": 3,
  'create again': 3,
  edit: 8,
  delete: 6,
  'delete before it is made': 2,
  like: 2,
  follow: 18,
  unfollow: 6,
  block: 3,
  unblock: 2,
  mute: 3,
  unmute: 3,
  'mark read': 4,
  'delete user': 1,
  import: 4,
  'import again': 2,
  unreadable: 1,
} as const
type Act = keyof typeof ACTS

export class Writers {
  readonly posts: PostRef[] = []
  readonly #world: World
  readonly #dice: Dice
  readonly #acts: Record<Act, number>
  readonly #keptIds: PostId[] = []
  readonly #imports: (readonly Produceable[])[] = []
  #bodies = 0
  #deletions = 0

  constructor(world: World, dice: Dice) {
    this.#world = world
    this.#dice = dice
    this.#acts = dice.sway(ACTS)
  }

  /** Somebody does something. Resolves when it is in the log. */
  async act(): Promise<void> {
    const act = this.#dice.weighted(this.#acts)
    const gateway = this.#dice.pick(this.#world.gateways)
    await this.#do(act, gateway)
    this.#world.tally.add(`act: ${act}`)
  }

  /** So many follows to begin with, that dashboards are not empty. */
  async befriend(): Promise<void> {
    for (const user of this.#world.users) {
      for (const author of this.#world.users) {
        if (user === author || this.#dice.chance(0.6)) continue
        await this.#produce(this.#dice.pick(this.#world.gateways), user, {
          kind: 'followed',
          user,
          author,
          hideReblogs: this.#dice.chance(0.1),
          asOfMs: undefined,
        })
      }
    }
  }

  publish(user: UserRef): Promise<void> {
    const gateway = this.#dice.pick(this.#world.gateways)
    return this.#produce(gateway, user, this.#post(user, gateway.allocatePostId()))
  }

  /** As if it had been made weeks ago. */
  publishOld(user: UserRef): Promise<void> {
    const gateway = this.#dice.pick(this.#world.gateways)
    const agoMs = 40 * 86_400_000 + this.#dice.below(86_400_000)
    return this.#produce(gateway, user, this.#post(user, firstIdAt(gateway.clock.nowMs - agoMs)))
  }

  /** The user follows somebody, or no longer does, or both; or marks as read. */
  async relate(user: UserRef): Promise<void> {
    const gateway = this.#dice.pick(this.#world.gateways)
    const author = this.#other(user)
    const edge = { user, author, asOfMs: undefined }
    if (this.#dice.chance(0.6)) await this.#produce(gateway, user, { kind: 'unfollowed', ...edge })
    if (this.#dice.chance(0.6)) {
      await this.#produce(gateway, user, { kind: 'followed', ...edge, hideReblogs: false })
    }
    if (this.#dice.chance(0.3)) {
      const postId = this.#somePost().postId
      await this.#produce(gateway, user, { kind: 'read-marked', user, postId })
    }
  }

  async #do(act: Act, gateway: Gateway): Promise<void> {
    const user = this.#dice.pick(this.#world.users)
    const other = this.#other(user)
    const now = gateway.clock.nowMs
    switch (act) {
      case 'publish':
        if (this.#dice.chance(0.1)) this.#keptIds.push(gateway.allocatePostId())
        return this.#produce(gateway, user, this.#post(user, gateway.allocatePostId()))
      case 'publish at an old id':
        return this.#produce(
          gateway,
          user,
          this.#post(user, this.#keptIds.pop() ?? this.#oldId(now)),
        )
      case 'publish in the future':
        return this.#produce(
          gateway,
          user,
          this.#post(user, firstIdAt(now + this.#dice.below(900_000))),
        )
      case "publish at another's id":
        return this.#produce(gateway, user, this.#post(user, this.#somePost().postId))
      case 'create again': {
        const { author, postId } = this.#somePost()
        return this.#produce(gateway, author, this.#post(author, postId))
      }
      case 'edit':
        return this.#produce(gateway, user, {
          kind: 'post-edited',
          ...(this.#dice.chance(0.9)
            ? this.#somePost()
            : { author: user, postId: this.#oldId(now) }),
          content: this.#bytes('edited'),
          audience: 'public',
        })
      case 'delete':
        return this.#produce(gateway, user, { kind: 'post-deleted', ...this.#somePost() })
      case 'delete before it is made':
        return this.#deleteThenPost(gateway, user)
      case 'like':
        return this.#produce(gateway, user, {
          kind: this.#dice.pick(['post-liked', 'post-unliked']),
          user,
          ...this.#somePost(),
        })
      case 'follow':
        return this.#produce(gateway, user, {
          kind: 'followed',
          user,
          author: other,
          hideReblogs: this.#dice.chance(0.15),
          asOfMs: undefined,
        })
      case 'unfollow':
        return this.#produce(gateway, user, {
          kind: 'unfollowed',
          user,
          author: other,
          asOfMs: undefined,
        })
      case 'block':
        return this.#block(gateway, user, other)
      case 'unblock':
        return this.#produce(gateway, user, {
          kind: 'unblocked',
          user,
          target: other,
          asOfMs: undefined,
        })
      case 'mute':
        return this.#produce(gateway, user, {
          kind: 'muted',
          user,
          target: other,
          asOfMs: undefined,
        })
      case 'unmute':
        return this.#produce(gateway, user, {
          kind: 'unmuted',
          user,
          target: other,
          asOfMs: undefined,
        })
      case 'mark read':
        return this.#produce(gateway, user, {
          kind: 'read-marked',
          user,
          postId: this.#somePost().postId,
        })
      case 'delete user':
        if (this.#deletions++ > 0 || this.#dice.chance(0.4)) return
        return this.#produce(gateway, user, { kind: 'user-deleted', user })
      case 'import':
        return this.#import(gateway, this.#snapshot(now))
      case 'import again':
        if (this.#imports.length === 0) return
        return this.#import(gateway, this.#dice.pick(this.#imports))
      case 'unreadable':
        this.#appendUnreadable(gateway)
    }
  }

  /** The block first, then the ends of both follows, each in its own partition. */
  async #block(gateway: Gateway, user: UserRef, other: UserRef): Promise<void> {
    await this.#produce(gateway, user, { kind: 'blocked', user, target: other, asOfMs: undefined })
    await this.#produce(gateway, user, {
      kind: 'unfollowed',
      user,
      author: other,
      asOfMs: undefined,
    })
    await this.#produce(gateway, user, {
      kind: 'unfollowed',
      user: other,
      author: user,
      asOfMs: undefined,
    })
  }

  async #deleteThenPost(gateway: Gateway, author: UserRef): Promise<void> {
    const postId = gateway.allocatePostId()
    await this.#produce(gateway, author, { kind: 'post-deleted', author, postId })
    await this.#produce(gateway, author, this.#post(author, postId))
  }

  /** What an old database held: posts of weeks ago, relations as of a moment, read marks. */
  #snapshot(nowMs: number): Produceable[] {
    const asOfMs = nowMs - this.#dice.pick([0, 60_000, 86_400_000, 4 * 86_400_000])
    const records: Produceable[] = []
    for (let i = this.#dice.between(1, 6); i > 0; i--) {
      const user = this.#dice.pick(this.#world.users)
      const other = this.#other(user)
      const kind = this.#dice.below(10)
      if (kind < 5) records.push(this.#post(user, this.#oldId(nowMs)))
      else if (kind < 7) {
        records.push({
          kind: 'followed',
          user,
          author: other,
          hideReblogs: this.#dice.chance(0.2),
          asOfMs,
        })
      } else if (kind < 8) records.push({ kind: 'blocked', user, target: other, asOfMs })
      else if (kind < 9) records.push({ kind: 'muted', user, target: other, asOfMs })
      else records.push({ kind: 'read-marked', user, postId: this.#oldId(nowMs) })
    }
    this.#imports.push(records)
    return records
  }

  async #import(gateway: Gateway, records: readonly Produceable[]): Promise<void> {
    const importer = this.#dice.pick(this.#world.users)
    const { snapshotsFromMs } = this.#world
    const given = records.filter(
      (fact) => !('asOfMs' in fact) || (fact.asOfMs ?? 0) >= snapshotsFromMs,
    )
    await Promise.all(given.map((fact) => this.#produce(gateway, importer, fact)))
    // Somebody edits what has just come in.
    for (const fact of records) {
      if (fact.kind !== 'post-created' || this.#dice.chance(0.6)) continue
      const { author, postId, audience } = fact
      const content = this.#bytes('edited')
      await this.#produce(gateway, author, {
        kind: 'post-edited',
        author,
        postId,
        content,
        audience,
      })
    }
  }

  #appendUnreadable(gateway: Gateway): void {
    const id = gateway.allocateEventId()
    const event = { id, fact: { kind: 'unreadable', reason: 'no event', isNewer: false } } as const
    this.#world.brokers.append(this.#dice.below(this.#world.log.partitions), event)
  }

  async #produce(gateway: Gateway, writer: UserRef, fact: Produceable): Promise<void> {
    const { partition, offset } = await gateway.produce(fact)
    const token = zeroPosition(this.#world.log.partitions)
    token[partition] = offset + 1
    this.#world.noteSeen(writer.key, token)
  }

  #post(author: UserRef, postId: PostId): PostCreated {
    const origin = this.#dice.chance(0.25) ? this.#somePost() : undefined
    const isItself = origin?.author === author && origin.postId === postId
    this.posts.push({ author: author.key, postId })
    return {
      kind: 'post-created',
      author,
      postId,
      head: this.#bytes('head'),
      content: this.#bytes('content'),
      reblogOf: isItself ? undefined : origin,
      audience: this.#dice.chance(0.15) ? 'followers' : 'public',
    }
  }

  /** Different every time, so that a wrong body is seen; sometimes more than memory keeps. */
  #bytes(what: string): Uint8Array {
    const text = `${what} ${this.#bodies++}`
    return new TextEncoder().encode(this.#dice.chance(0.1) ? text.padEnd(400, '.') : text)
  }

  #somePost(): PostName {
    const recent = this.posts.slice(this.#dice.chance(0.6) ? -8 : 0)
    if (recent.length === 0) {
      return {
        author: this.#dice.pick(this.#world.users),
        postId: firstIdAt(this.#world.wall.nowMs),
      }
    }
    const { author, postId } = this.#dice.pick(recent)
    return { author: this.#world.userOf(author) ?? this.#dice.pick(this.#world.users), postId }
  }

  #oldId(nowMs: number): PostId {
    const agoMs = this.#dice.pick([400_000, 5_000_000, 40 * 86_400_000])
    return ((firstIdAt(nowMs - this.#dice.below(agoMs)) as bigint) +
      BigInt(this.#dice.below(4))) as PostId
  }

  #other(user: UserRef): UserRef {
    return this.#dice.pick(this.#world.users.filter((other) => other !== user))
  }
}

type Produceable = Exclude<Fact, Unreadable>
