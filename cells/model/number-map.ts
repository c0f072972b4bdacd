// A sorted map from numbers to 32-bit words in two typed arrays: 8 bytes an entry, no object per entry. A reader's edges,
// marks and change times are such maps, most of them small, a few with a million entries.
//
// Adding goes to a small sorted tail of at most TAIL_MIN + 2 sqrt(n) entries, merged into the body when full: an insert costs
// O(sqrt n) moved words, a lookup two binary searches. `compact` merges at once, so that hot loops see two plain arrays.

const TAIL_MIN = 16

export class NumberMap {
  #keys: Uint32Array
  #words: Uint32Array
  #length: number
  #tailKeys: Uint32Array | undefined
  #tailWords: Uint32Array | undefined
  #tailLength = 0

  /** Takes over two arrays of equal length, keys ascending; or starts empty. */
  constructor(keys: Uint32Array = new Uint32Array(0), words: Uint32Array = new Uint32Array(0)) {
    if (keys.length !== words.length) throw new RangeError('keys and words differ in length')
    this.#keys = keys
    this.#words = words
    this.#length = keys.length
  }

  get size(): number {
    return this.#length + this.#tailLength
  }

  has(key: number): boolean {
    return this.get(key) !== undefined
  }

  get(key: number): number | undefined {
    const at = lowerBound(this.#keys, this.#length, key)
    if (at < this.#length && this.#keys[at] === key) return this.#words[at]
    if (this.#tailKeys === undefined || this.#tailWords === undefined) return undefined
    const inTail = lowerBound(this.#tailKeys, this.#tailLength, key)
    if (inTail < this.#tailLength && this.#tailKeys[inTail] === key) return this.#tailWords[inTail]
    return undefined
  }

  set(key: number, value: number): void {
    const at = lowerBound(this.#keys, this.#length, key)
    if (at < this.#length && this.#keys[at] === key) {
      this.#words[at] = value
      return
    }
    this.#setInTail(key, value)
  }

  delete(key: number): boolean {
    const at = lowerBound(this.#keys, this.#length, key)
    if (at < this.#length && this.#keys[at] === key) {
      this.#keys.copyWithin(at, at + 1, this.#length)
      this.#words.copyWithin(at, at + 1, this.#length)
      this.#length--
      return true
    }
    if (this.#tailKeys === undefined || this.#tailWords === undefined) return false
    const inTail = lowerBound(this.#tailKeys, this.#tailLength, key)
    if (inTail >= this.#tailLength || this.#tailKeys[inTail] !== key) return false
    this.#tailKeys.copyWithin(inTail, inTail + 1, this.#tailLength)
    this.#tailWords.copyWithin(inTail, inTail + 1, this.#tailLength)
    this.#tailLength--
    return true
  }

  /** Merges the tail. Afterwards `keys` and `words` hold the first `size` entries, keys ascending. */
  compact(): void {
    if (this.#tailKeys === undefined || this.#tailWords === undefined) return
    const total = this.#length + this.#tailLength
    const keys = roomFor(this.#keys, total)
    const words = keys === this.#keys ? this.#words : new Uint32Array(keys.length)
    let from = this.#length - 1
    let to = total - 1
    for (let tail = this.#tailLength - 1; tail >= 0; to--) {
      const takeTail = from < 0 || word(this.#tailKeys, tail) > word(this.#keys, from)
      keys[to] = takeTail ? word(this.#tailKeys, tail) : word(this.#keys, from)
      words[to] = takeTail ? word(this.#tailWords, tail) : word(this.#words, from)
      if (takeTail) tail--
      else from--
    }
    // Below the tail's least key nothing moves.
    if (keys !== this.#keys) {
      keys.set(this.#keys.subarray(0, from + 1))
      words.set(this.#words.subarray(0, from + 1))
    }
    this.#keys = keys
    this.#words = words
    this.#length = total
    this.#tailKeys = undefined
    this.#tailWords = undefined
    this.#tailLength = 0
  }

  /** Ascending keys; only the first `size` count, and only after `compact`. */
  get keys(): Uint32Array {
    return this.#keys
  }

  get words(): Uint32Array {
    return this.#words
  }

  get bytes(): number {
    return 2 * (this.#keys.byteLength + (this.#tailKeys?.byteLength ?? 0))
  }

  #setInTail(key: number, value: number): void {
    const tailMax = TAIL_MIN + 2 * Math.ceil(Math.sqrt(this.#length))
    if (this.#tailKeys === undefined || this.#tailWords === undefined) {
      this.#tailKeys = new Uint32Array(TAIL_MIN)
      this.#tailWords = new Uint32Array(TAIL_MIN)
    }
    const at = lowerBound(this.#tailKeys, this.#tailLength, key)
    if (at < this.#tailLength && this.#tailKeys[at] === key) {
      this.#tailWords[at] = value
      return
    }
    if (this.#tailLength === this.#tailKeys.length) {
      const grown = Math.min(tailMax, this.#tailLength * 2)
      if (grown <= this.#tailLength) {
        this.compact()
        this.#setInTail(key, value)
        return
      }
      this.#tailKeys = copyTo(this.#tailKeys, grown)
      this.#tailWords = copyTo(this.#tailWords, grown)
    }
    this.#tailKeys.copyWithin(at + 1, at, this.#tailLength)
    this.#tailWords.copyWithin(at + 1, at, this.#tailLength)
    this.#tailKeys[at] = key
    this.#tailWords[at] = value
    this.#tailLength++
  }
}

function word(array: Uint32Array, at: number): number {
  return array[at] as number
}

function lowerBound(keys: Uint32Array, length: number, key: number): number {
  let low = 0
  let high = length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (word(keys, middle) < key) low = middle + 1
    else high = middle
  }
  return low
}

/** The same array when it has room, else one an eighth larger than needed. */
function roomFor(array: Uint32Array, needed: number): Uint32Array {
  return array.length >= needed ? array : new Uint32Array(needed + (needed >>> 3))
}

function copyTo(array: Uint32Array, length: number): Uint32Array {
  const copy = new Uint32Array(length)
  copy.set(array)
  return copy
}
