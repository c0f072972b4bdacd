// A cell's body cache in Redis. Whatever happens to Redis (slow, full, emptied, killed, gone), reads become slower and nothing
// else: every call ends in time, and what is not known in time is not there.
//
// A body that was removed never comes back. Three things hold that:
//   - Commands of one connection are carried out in the order of the calls, so a SET before a DEL cannot undo it, also when
//     its own answer came too late for anybody.
//   - The epoch is part of every key, and random. It is decided here and asks nobody: from a renewal on, nothing older is
//     found. Whoever else still writes (this cell's earlier process, stopped and woken) does so in an epoch that no one reads.
//   - Every lost connection begins a new epoch. What answers next may be the same Redis with an old snapshot, or a replica that
//     lacks the last removals. This needs to see the connection end: no proxy may hide it by going on with another server.
// A removal that was not confirmed in time rejects, and the cell renews; one in an epoch that holds nothing is done at once.

import { randomBytes } from 'node:crypto'
import type { ChainableCommander } from 'ioredis'
import type { CellName } from '../../cells/model/placement.ts'
import type { BodyCache } from '../../cells/ports/body-cache.ts'
import type { PostKey } from '../../cells/ports/post-table.ts'
import type { BreakerState } from './breaker.ts'
import { CACHE_LIMITS, type CacheLimits } from './cache-limits.ts'
import { type LinkChange, RedisLink, type Reply } from './redis-link.ts'
import type { RedisOptions } from './redis-options.ts'

export type RedisBodyCacheOptions = RedisOptions & {
  readonly cell: CellName
  readonly limits?: Partial<CacheLimits>
  /** Told when the connection comes and goes, `detail` in words. */
  readonly onChange?: (change: LinkChange) => void
}

/** Since it was opened; for metrics. */
export type RedisBodyCacheCounts = {
  hits: number
  /** Asked and answered: Redis does not have it, or this epoch holds nothing yet. */
  misses: number
  /** Bodies not asked for, or not set: no connection, breaker open, too much unanswered, or a pause after a refusal. */
  unasked: number
  /** Calls that Redis refused, that had no answer in time, and that ended with their connection. */
  refused: number
  late: number
  lost: number
  /** Bodies that were too large. */
  tooLarge: number
  epochs: number
}
export type RedisBodyCacheStatus = Readonly<RedisBodyCacheCounts> & {
  readonly isUp: boolean
  readonly breaker: BreakerState['kind']
  readonly unanswered: number
}

export class CacheNotSure extends Error {
  readonly code = 'CACHE_NOT_SURE'
  override readonly name = 'CacheNotSure'
}

export class RedisBodyCache implements BodyCache {
  readonly #limits: CacheLimits
  readonly #keysBegin: string
  readonly #counts: RedisBodyCacheCounts = {
    hits: 0,
    misses: 0,
    unasked: 0,
    refused: 0,
    late: 0,
    lost: 0,
    tooLarge: 0,
    epochs: 0,
  }
  #link: RedisLink | undefined
  #epoch = ''
  /** Nothing was ever sent under this epoch's keys. */
  #isEmpty = true
  #refusedUntilMs = 0

  private constructor(options: RedisBodyCacheOptions) {
    this.#limits = { ...CACHE_LIMITS, ...options.limits }
    this.#keysBegin = `${options.prefix}:${options.cell}:`
    this.#beginEpoch()
  }

  /** Resolves also when Redis is away: then nothing is found until it is there. */
  static async open(options: RedisBodyCacheOptions): Promise<RedisBodyCache> {
    const cache = new RedisBodyCache(options)
    cache.#link = await RedisLink.open({
      ...options,
      limits: cache.#limits,
      connectionName: `${options.prefix}:${options.cell}`.replaceAll(/\s/g, '-'),
      onChange: (change) => {
        if (!change.isUp) cache.#beginEpoch()
        options.onChange?.(change)
      },
    })
    return cache
  }

  async close(): Promise<void> {
    this.#link?.close()
  }

  status(): RedisBodyCacheStatus {
    return {
      ...this.#counts,
      isUp: this.#link?.isUp ?? false,
      breaker: this.#link?.breaker ?? 'closed',
      unanswered: this.#link?.unanswered ?? 0,
    }
  }

  async getMany(keys: readonly PostKey[]): Promise<(Uint8Array | undefined)[]> {
    if (keys.length === 0) return []
    if (this.#isEmpty) {
      this.#counts.misses += keys.length
      return keys.map(() => undefined)
    }
    const epoch = this.#epoch
    const runs = runsOf(keys, this.#limits.keysMax)
    const found = await Promise.all(runs.map((run) => this.#getRun(run)))
    // Begun while this was on its way: what was found may be what the new epoch is to forget.
    if (epoch !== this.#epoch) return keys.map(() => undefined)
    return found.flat()
  }

  async setMany(
    entries: readonly { readonly key: PostKey; readonly value: Uint8Array }[],
  ): Promise<void> {
    await Promise.all(entries.map(({ key, value }) => this.#set(key, value)))
  }

  async remove(keys: readonly PostKey[]): Promise<void> {
    if (this.#isEmpty || keys.length === 0) return
    const runs = runsOf(keys, this.#limits.keysMax)
    const replies = await Promise.all(
      runs.map((run) =>
        this.#send(0, (pipeline) => {
          pipeline.del(run.map((key) => this.#nameOf(key)))
        }),
      ),
    )
    const failed = replies.find(({ kind }) => kind !== 'answered')
    if (failed !== undefined) throw new CacheNotSure(`removal not confirmed: ${failed.kind}`)
  }

  async renew(): Promise<void> {
    this.#beginEpoch()
  }

  async #getRun(keys: readonly PostKey[]): Promise<(Uint8Array | undefined)[]> {
    const reply = await this.#send(0, (pipeline) => {
      pipeline.mgetBuffer(keys.map((key) => this.#nameOf(key)))
    })
    if (reply.kind === 'unasked') this.#counts.unasked += keys.length
    if (reply.kind !== 'answered') return keys.map(() => undefined)
    const values = Array.isArray(reply.value) ? reply.value : []
    const bodies = keys.map((_, i) => bodyOf(values[i]))
    const hits = bodies.filter((body) => body !== undefined).length
    this.#counts.hits += hits
    this.#counts.misses += keys.length - hits
    return bodies
  }

  async #set(key: PostKey, value: Uint8Array): Promise<void> {
    const { valueBytesMax, refusedPauseMs, ttlSeconds } = this.#limits
    if (value.length > valueBytesMax) {
      this.#counts.tooLarge++
      return
    }
    if (performance.now() < this.#refusedUntilMs) {
      this.#counts.unasked++
      return
    }
    const reply = await this.#send(value.length, (pipeline) => {
      this.#isEmpty = false
      pipeline.set(this.#nameOf(key), bufferOf(value), 'EX', ttlSeconds)
    })
    if (reply.kind === 'unasked') this.#counts.unasked++
    if (reply.kind === 'refused') this.#refusedUntilMs = performance.now() + refusedPauseMs
  }

  async #send(bytes: number, add: (pipeline: ChainableCommander) => void): Promise<Reply> {
    const reply = (await this.#link?.send(bytes, add)) ?? UNASKED
    if (reply.kind === 'refused' || reply.kind === 'late' || reply.kind === 'lost') {
      this.#counts[reply.kind]++
    }
    return reply
  }

  #beginEpoch(): void {
    this.#epoch = randomBytes(EPOCH_BYTES).toString('base64url')
    this.#isEmpty = true
    this.#counts.epochs++
  }

  #nameOf({ author, postId }: PostKey): string {
    return `${this.#keysBegin}${this.#epoch}:${author.toString(36)}:${postId.toString(36)}`
  }
}

/** 96 bits: two starts, or two cells, never draw the same. */
const EPOCH_BYTES = 12
const UNASKED: Reply = { kind: 'unasked' }

function runsOf(keys: readonly PostKey[], keysMax: number): (readonly PostKey[])[] {
  if (keys.length <= keysMax) return [keys]
  const runs: (readonly PostKey[])[] = []
  for (let from = 0; from < keys.length; from += keysMax)
    runs.push(keys.slice(from, from + keysMax))
  return runs
}

/** A copy: the answer lies in a block of the socket's, which would be kept as long as any body of it. */
function bodyOf(value: unknown): Uint8Array | undefined {
  return value instanceof Uint8Array ? new Uint8Array(value) : undefined
}

function bufferOf(value: Uint8Array): Buffer {
  return Buffer.from(value.buffer, value.byteOffset, value.length)
}
