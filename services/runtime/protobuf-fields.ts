// Fields of protobuf messages written and read by hand, for the few messages that are mostly bytes which others encoded: posts
// are copied once on their way out, and not at all on their way in. All field numbers are below 16, so a tag is one byte.

/** Bytes that are not the message they should be. */
export class CorruptMessage extends Error {
  readonly code = 'CORRUPT_MESSAGE'
  override readonly name = 'CorruptMessage'
}

/** Of an unsigned number below 2^53. */
export function sizeOfVarint(value: number): number {
  let size = 1
  for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) size++
  return size
}

/** Of a field of this many bytes, with its tag and length. */
export function sizeOfField(length: number): number {
  return 1 + sizeOfVarint(length) + length
}

/** Writes the tag and length of a field of bytes; answers where the bytes go. */
export function writeTag(bytes: Buffer, start: number, field: number, length: number): number {
  let at = start
  bytes[at++] = (field << 3) | 2
  return writeVarint(bytes, at, length)
}

/** An unsigned number below 2^53; answers where the next byte goes. */
export function writeVarint(bytes: Buffer, start: number, value: number): number {
  let at = start
  let rest = value
  while (rest > 127) {
    bytes[at++] = (rest % 128) | 128
    rest = Math.floor(rest / 128)
  }
  bytes[at++] = rest
  return at
}

/** A message with one more field of bytes at its end: in protobuf one after the other is one message. */
export function withField(message: Uint8Array, field: number, value: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(message.length + sizeOfField(value.length))
  bytes.set(message, 0)
  bytes.set(value, writeTag(bytes, message.length, field, value.length))
  return bytes
}

const VARINT = 0
const FIXED64 = 1
const BYTES = 2
const FIXED32 = 5

/** Reads one message's fields in order. What it answers with are views of the message's bytes, not copies. */
export class FieldReader {
  readonly #bytes: Buffer
  #at: number
  readonly #end: number

  constructor(bytes: Buffer, at = 0, end = bytes.length) {
    this.#bytes = bytes
    this.#at = at
    this.#end = end
  }

  get at(): number {
    return this.#at
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#end
  }

  /** An unsigned number below 2^53. */
  varint(): number {
    let value = 0
    let scale = 1
    for (let i = 0; i < 8; i++) {
      if (this.#at >= this.#end) throw new CorruptMessage('the message ends within a number')
      const byte = this.#bytes[this.#at++] as number
      value += (byte & 127) * scale
      if (byte < 128) return value
      scale *= 128
    }
    throw new CorruptMessage('a number of more than 53 bits')
  }

  fixed64(): bigint {
    const at = this.#take(8)
    return this.#bytes.readBigUInt64LE(at)
  }

  bytes(): Buffer {
    const length = this.varint()
    const at = this.#take(length)
    return this.#bytes.subarray(at, at + length)
  }

  /** The fields of a message within this one. */
  message(): FieldReader {
    const length = this.varint()
    const at = this.#take(length)
    return new FieldReader(this.#bytes, at, at + length)
  }

  latin1(): string {
    const length = this.varint()
    const at = this.#take(length)
    return this.#bytes.toString('latin1', at, at + length)
  }

  /** Everything from a place passed before up to here. */
  since(at: number): Buffer {
    return this.#bytes.subarray(at, this.#at)
  }

  rest(): Buffer {
    return this.#bytes.subarray(this.#at, this.#end)
  }

  /** Passes over the field whose tag was read. */
  skip(tag: number): void {
    switch (tag & 7) {
      case VARINT:
        while ((this.#bytes[this.#take(1)] as number) > 127);
        return
      case FIXED64:
        this.#take(8)
        return
      case BYTES:
        this.#take(this.varint())
        return
      case FIXED32:
        this.#take(4)
        return
      default:
        throw new CorruptMessage(`no field has the tag ${tag}`)
    }
  }

  #take(length: number): number {
    const at = this.#at
    if (at + length > this.#end) throw new CorruptMessage('the message ends within a field')
    this.#at += length
    return at
  }
}
