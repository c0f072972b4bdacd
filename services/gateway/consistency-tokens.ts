// Consistency tokens: a position of the firehose, named with its log, as an opaque string. Not sealed, because a forged
// one gives access to nothing: at worst its own call waits for what never comes.

import { hash } from 'node:crypto'
import { largerOf, type Position, zeroPosition } from '../../cells/model/position.ts'
import type { Appended, LogIdentity } from '../../cells/ports/firehose.ts'
import { ConsistencyToken } from '../../gen/cellfeed/internal/v1/token.ts'
import { ApiError } from './errors.ts'

export const CONSISTENCY_TOKENS_MAX = 32
const TOKEN_VERSION = 1
const TOKEN_CHARS_MAX = 4_096

export class ConsistencyTokens {
  readonly #logId: bigint
  readonly #partitions: number

  constructor(identity: LogIdentity) {
    this.#logId = logNumber(identity.logId)
    this.#partitions = identity.partitionsPerTopic * 2
  }

  /** Partitions at 0 ask for nothing and are left out. */
  messageOf(position: Position): ConsistencyToken {
    const message: ConsistencyToken = {
      version: TOKEN_VERSION,
      logId: this.#logId,
      partitions: [],
      offsets: [],
    }
    for (const [partition, offset] of position.entries()) {
      if (offset <= 0) continue
      message.partitions.push(partition)
      message.offsets.push(BigInt(offset))
    }
    return message
  }

  write(position: Position): string {
    const encoded = ConsistencyToken.encode(this.messageOf(position)).finish()
    return Buffer.from(encoded).toString('base64url')
  }

  /** "Not older than all of these events." */
  positionAfter(appended: readonly Appended[]): number[] {
    const position = zeroPosition(this.#partitions)
    for (const { partition, offset } of appended) {
      position[partition] = Math.max(position[partition] ?? 0, offset + 1)
    }
    return position
  }

  /** The greatest of several tokens, partition by partition. Empty strings ask for nothing. */
  readAll(tokens: readonly string[], field = 'consistency_tokens'): number[] {
    if (tokens.length > CONSISTENCY_TOKENS_MAX) {
      const message = `${field}: at most ${CONSISTENCY_TOKENS_MAX} tokens, these are ${tokens.length}`
      throw new ApiError('CONSISTENCY_TOKEN_INVALID', message, { field })
    }
    let seen = zeroPosition(this.#partitions)
    for (const [index, token] of tokens.entries()) {
      if (token === '') continue
      seen = largerOf(seen, this.read(token, `${field}[${index}]`))
    }
    return seen
  }

  read(token: string, field: string): number[] {
    const bytes = bytesOfToken(token)
    const message = bytes === undefined ? undefined : decoded(bytes)
    const position = message === undefined ? undefined : this.positionOf(message, field)
    if (position !== undefined) return position
    const text = `${field}: this is no token of a server of this version`
    throw new ApiError('CONSISTENCY_TOKEN_INVALID', text, { field })
  }

  /** Undefined when the message makes no sense here. Throws OTHER_LOG. */
  positionOf(message: ConsistencyToken, field: string): number[] | undefined {
    if (message.version !== TOKEN_VERSION) return undefined
    if (message.partitions.length !== message.offsets.length) return undefined
    if (message.logId !== this.#logId) {
      const text = `${field}: this token is of another log; drop it and start again without`
      throw new ApiError('OTHER_LOG', text, {
        metadata: {
          expected_log_id: logDigits(this.#logId),
          actual_log_id: logDigits(message.logId),
        },
      })
    }
    const position = zeroPosition(this.#partitions)
    let last = -1
    for (const [index, partition] of message.partitions.entries()) {
      const offset = Number(message.offsets[index])
      if (partition <= last || partition >= this.#partitions) return undefined
      if (!Number.isSafeInteger(offset)) return undefined
      position[partition] = offset
      last = partition
    }
    return position
  }

  /** A place in the public topic, for subscribers: the same message with every public partition, those at 0 too. */
  writePlace(position: Position): string {
    const partitions = Array.from({ length: this.#partitions / 2 }, (_, index) => index)
    const encoded = ConsistencyToken.encode({
      version: TOKEN_VERSION,
      logId: this.#logId,
      partitions,
      offsets: partitions.map((partition) => BigInt(position[partition] ?? 0)),
    }).finish()
    return Buffer.from(encoded).toString('base64url')
  }

  /** Undefined when this is no place that writePlace made for a log of this shape. Throws OTHER_LOG. */
  readPlace(place: string, field: string): number[] | undefined {
    const bytes = bytesOfToken(place)
    const message = bytes === undefined ? undefined : decoded(bytes)
    if (message === undefined || message.version !== TOKEN_VERSION) return undefined
    const position = this.positionOf(message, field)
    const isWhole = message.partitions.length === this.#partitions / 2
    return isWhole && message.partitions.every((partition, index) => partition === index)
      ? position
      : undefined
  }

  get logDigits(): string {
    return logDigits(this.#logId)
  }
}

/** The bytes of an unpadded base64url string; undefined when it is none, or not in its one canonical form. */
export function bytesOfToken(token: string): Buffer | undefined {
  if (token.length > TOKEN_CHARS_MAX) return undefined
  const bytes = Buffer.from(token, 'base64url')
  return bytes.toString('base64url') === token ? bytes : undefined
}

/** A log's name in 64 bits, as tokens hold it: whatever the log calls itself, 16 hexadecimal digits of its hash. */
function logNumber(logId: string): bigint {
  return hash('sha256', logId, 'buffer').readBigUInt64BE(0)
}

function logDigits(logId: bigint): string {
  return logId.toString(16).padStart(16, '0')
}

function decoded(bytes: Uint8Array): ConsistencyToken | undefined {
  try {
    return ConsistencyToken.decode(bytes)
  } catch {
    return undefined
  }
}
