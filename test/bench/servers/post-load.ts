// Posts of 1 KB on the public topic, from a process of its own, by kafkajs as any producer would send them: batches, acks of all
// replicas, Java's partitioner. It stays ahead of who reads by at most so many posts, or keeps to a rate.
//
//     bench --fork--> this process --kafkajs--> Kafka --> what is measured
//       └── says how many were applied ──^

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Kafka, logLevel, Partitioners, type Producer } from 'kafkajs'
import { IdAllocator } from '../../../cells/model/id-allocator.ts'
import type { EventId, PostId } from '../../../cells/model/post-id.ts'
import { userRef } from '../../../cells/model/user-key.ts'
import { encodeEvent } from '../../../infra/wire/event-codec.ts'
import { encodeContent, encodeHead } from '../../../services/gateway/wire.ts'
import { drawFrom, uniform } from '../draw.ts'
import { isStarted } from '../print.ts'

export type LoadOptions = {
  readonly kafka: string
  readonly topic: string
  /** Authors are users 1 .. so many, drawn alike. */
  readonly users: number
  /** So many posts may be on the topic that were not told applied. */
  readonly aheadMax: number
  /** Posts a second; as many as it can when undefined. */
  readonly perSecond?: number
  /** It ends by itself after so many posts. */
  readonly postsMax?: number
}

/** With head, names and ids an event of 1 KB. */
const TEXT_BYTES = 890
const POSTS_A_SEND = 2_000
const SENDS_AT_ONCE = 3
/** With a rate to keep it sends what is due so often, as gateways do that many users share. */
const PACE_MS = 10
/** Of 1,024: gateways have the smaller ones. */
const WORKER = 900

type ToLoad = { readonly applied: number } | { readonly end: true }
type FromLoad = { readonly produced: number }

export class PostLoad {
  readonly #child: ChildProcess
  readonly ended: Promise<void>
  #produced = 0

  constructor(options: LoadOptions) {
    this.#child = fork(fileURLToPath(import.meta.url), [JSON.stringify(options)])
    this.#child.on('message', (message) => {
      this.#produced = (message as FromLoad).produced
    })
    this.ended = endOf(this.#child)
    this.ended.catch(() => undefined)
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /** Posts that Kafka has confirmed. */
  get produced(): number {
    return this.#produced
  }

  applied(posts: number): void {
    this.#tell({ applied: posts })
  }

  async end(): Promise<void> {
    this.#tell({ end: true })
    await this.ended
  }

  /** It may be ending at this very moment: then it need not know. */
  #tell(message: ToLoad): void {
    if (this.#child.connected) this.#child.send(message, () => undefined)
  }
}

async function endOf(child: ChildProcess): Promise<void> {
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`the load ended with code ${String(code)}`)
}

async function produce(options: LoadOptions): Promise<void> {
  const { kafka, topic, users, aheadMax, perSecond, postsMax = Number.POSITIVE_INFINITY } = options
  const client = new Kafka({ brokers: [kafka], clientId: 'load', logLevel: logLevel.ERROR })
  const producer = client.producer({ createPartitioner: Partitioners.DefaultPartitioner })
  await producer.connect()
  let applied = 0
  const ending = new AbortController()
  process.on('message', (message) => {
    const told = message as ToLoad
    if ('end' in told) ending.abort()
    else applied = told.applied
  })
  const makePost = postsBy(users)
  const startMs = performance.now()
  let sent = 0
  let confirmed = 0
  const mayMake = () => {
    const due =
      perSecond === undefined ? postsMax : ((performance.now() - startMs) / 1_000) * perSecond
    return Math.min(due, postsMax, applied + aheadMax) - sent
  }
  const send = async () => {
    while (!ending.signal.aborted && sent < postsMax) {
      const count = Math.min(POSTS_A_SEND, Math.floor(mayMake()))
      if (
        count < 1 ||
        (perSecond === undefined && count < Math.min(POSTS_A_SEND, postsMax - sent))
      ) {
        await sleep(perSecond === undefined ? 1 : PACE_MS)
        continue
      }
      sent += count
      await sendSome(producer, topic, Array.from({ length: count }, makePost))
      confirmed += count
      process.send?.({ produced: confirmed } satisfies FromLoad)
    }
  }
  await Promise.all(Array.from({ length: SENDS_AT_ONCE }, send))
  await producer.disconnect()
  process.disconnect?.()
}

async function sendSome(
  producer: Producer,
  topic: string,
  messages: { key: string; value: Buffer }[],
): Promise<void> {
  await producer.send({ topic, acks: -1, messages })
}

/**
 * Each author's first post is encoded; later ones are copies of it with other ids in their places, so that the load takes little of
 * the cores that it shares with what is measured.
 */
function postsBy(users: number): () => { key: string; value: Buffer } {
  const draw = drawFrom(23)
  const ids = new IdAllocator(WORKER)
  const templates = new Array<Template | undefined>(users)
  return () => {
    const number = uniform(draw, users)
    const template = (templates[number - 1] ??= templateOf(`user-${number}`))
    const nowMs = Date.now()
    const id = ids.allocate(nowMs)
    const postId = ids.allocate(nowMs)
    const { key, eventIdAt, postIdAt, digitsAt } = template
    const value = Buffer.from(template.value)
    value.writeBigUInt64LE(id, eventIdAt)
    value.writeBigUInt64LE(postId, postIdAt)
    value.write(String(postId), digitsAt, 'latin1')
    return { key, value }
  }
}

/** An encoded post, and where its ids are in it. */
type Template = {
  readonly key: string
  readonly value: Buffer
  readonly eventIdAt: number
  readonly postIdAt: number
  /** In its head, as digits. */
  readonly digitsAt: number
}

const IDS = new IdAllocator(WORKER)
const CONTENT = encodeContent(
  { text: 'x'.repeat(TEXT_BYTES), tags: [], payload: Buffer.alloc(0) },
  undefined,
)

function templateOf(user: string): Template {
  const author = userRef(user)
  const nowMs = Date.now()
  const id = IDS.allocate(nowMs) as EventId
  const postId = IDS.allocate(nowMs) as PostId
  const post = { author, postId, reblogOf: undefined, audience: 'public' as const }
  const head = encodeHead({ ...post, createdAtMs: nowMs, externalId: '' })
  const encoded = encodeEvent({
    id,
    fact: { kind: 'post-created', ...post, head, content: CONTENT },
  })
  const value = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.length)
  return {
    key: author.id,
    value,
    eventIdAt: placeIn(value, fixed64(id)),
    postIdAt: placeIn(value, fixed64(postId)),
    digitsAt: placeIn(value, Buffer.from(String(postId), 'latin1')),
  }
}

function placeIn(value: Buffer, part: Buffer): number {
  const at = value.indexOf(part)
  if (at < 0 || value.indexOf(part, at + 1) >= 0) throw new Error('an id is not in one place')
  return at
}

function fixed64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(value)
  return bytes
}

if (isStarted(import.meta.url)) {
  await produce(JSON.parse(process.argv[2] ?? '') as LoadOptions)
}
