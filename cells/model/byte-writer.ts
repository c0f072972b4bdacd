// Writes and reads the rows of a cell: little-endian words, varints and byte runs in one growing buffer. Numbers up to 2^53.

export class CorruptRow extends Error {
  readonly code = 'CORRUPT_ROW'
  override readonly name = 'CorruptRow'
}

export class ByteWriter {
  #bytes: Uint8Array
  #view: DataView
  #length = 0

  /** `expected`: bytes that there will be, about; more may come. */
  constructor(expected = 256) {
    this.#bytes = new Uint8Array(expected)
    this.#view = new DataView(this.#bytes.buffer)
  }

  u8(value: number): this {
    this.#room(1)
    this.#bytes[this.#length++] = value
    return this
  }

  u32(value: number): this {
    this.#room(4)
    this.#view.setUint32(this.#length, value, true)
    this.#length += 4
    return this
  }

  /** A whole number from 0 to 2^53 - 1. */
  varint(value: number): this {
    this.#room(8)
    let rest = value
    while (rest > 127) {
      this.#bytes[this.#length++] = (rest % 128) | 128
      rest = Math.floor(rest / 128)
    }
    this.#bytes[this.#length++] = rest
    return this
  }

  /** The first `length` words, without their length. */
  words(words: Uint32Array, length: number): this {
    this.#room(length * 4)
    const view = this.#view
    const from = this.#length
    for (let i = 0; i < length; i++) view.setUint32(from + i * 4, words[i] as number, true)
    this.#length += length * 4
    return this
  }

  /** Bytes with their length before them. */
  run(bytes: Uint8Array): this {
    this.varint(bytes.length)
    this.#room(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
    return this
  }

  varints(values: readonly number[]): this {
    this.varint(values.length)
    for (const value of values) this.varint(value)
    return this
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  #room(needed: number): void {
    if (this.#length + needed <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + needed))
    grown.set(this.#bytes)
    this.#bytes = grown
    this.#view = new DataView(grown.buffer)
  }
}

export class ByteReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  u8(): number {
    return this.#bytes[this.#take(1)] as number
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true)
  }

  varint(): number {
    let value = 0
    let scale = 1
    for (let i = 0; i < 8; i++) {
      const byte = this.u8()
      value += (byte & 127) * scale
      if (byte < 128) return value
      scale *= 128
    }
    throw new CorruptRow('a number of more than 53 bits')
  }

  words(length: number): Uint32Array {
    const from = this.#take(length * 4)
    const words = new Uint32Array(length)
    const view = this.#view
    for (let i = 0; i < length; i++) words[i] = view.getUint32(from + i * 4, true)
    return words
  }

  run(): Uint8Array {
    const length = this.varint()
    const from = this.#take(length)
    return this.#bytes.slice(from, from + length)
  }

  varints(): number[] {
    const length = this.varint()
    if (length > this.#bytes.length) throw new CorruptRow('a list longer than its row')
    return Array.from({ length }, () => this.varint())
  }

  #take(length: number): number {
    const from = this.#at
    if (from + length > this.#bytes.length) throw new CorruptRow('the row ends too early')
    this.#at += length
    return from
  }
}
