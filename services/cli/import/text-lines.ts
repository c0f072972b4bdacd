// The lines of a file or stream, plain or gzipped, with their numbers, as bytes become text: what is
// no text is said, not guessed at, and no line is held that is longer than a record can be.
//
// Costs one pass over the bytes and a string for each line; holds one chunk and one unfinished line.

import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { usageFailure } from '../exit.ts'

/** Over any record: 64 KiB of text, each byte maybe escaped as \u0000, and as much payload. */
export const lineBytesMax = 1 << 20

export type TextLine =
  | { readonly kind: 'line'; readonly number: number; readonly text: string }
  /** A line that can not be read, and why. */
  | { readonly kind: 'bad'; readonly number: number; readonly reason: string }

/** `name` is for messages. Throws a CommandFailure for what is binary, empty, or a broken gzip file. */
export async function* textLines(
  source: AsyncIterable<Uint8Array>,
  name: string,
): AsyncGenerator<TextLine, void, void> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const decode = (number: number, parts: readonly Uint8Array[]): TextLine => {
    const bytes = parts.length === 1 ? (parts[0] ?? new Uint8Array()) : Buffer.concat(parts)
    if (bytes.length > lineBytesMax) {
      return { kind: 'bad', number, reason: `longer than ${lineBytesMax} bytes` }
    }
    try {
      const text = decoder.decode(bytes).replace(/\r$/, '')
      // Some programs begin a file with a byte order mark.
      return { kind: 'line', number, text: number === 1 ? text.replace(/^\ufeff/, '') : text }
    } catch {
      return { kind: 'bad', number, reason: 'not UTF-8 text' }
    }
  }

  let number = 1
  let unfinished: Uint8Array[] = []
  let unfinishedBytes = 0
  let isFirst = true
  for await (const chunk of unzipped(source, name)) {
    if (isFirst && chunk.length > 0) {
      isFirst = false
      if (chunk.subarray(0, 65_536).includes(0)) throw isBinary(name)
    }
    let begin = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, begin)) {
      unfinished.push(chunk.subarray(begin, end))
      yield decode(number, unfinished)
      number += 1
      unfinished = []
      unfinishedBytes = 0
      begin = end + 1
    }
    const rest = chunk.subarray(begin)
    unfinishedBytes += rest.length
    // Of a line that is too long only so much is kept as tells that it is.
    if (unfinishedBytes - rest.length <= lineBytesMax && rest.length > 0) unfinished.push(rest)
  }
  if (isFirst) throw usageFailure(`${name} is empty: there is nothing to import`)
  if (unfinished.length > 0) yield decode(number, unfinished)
}

async function* unzipped(
  source: AsyncIterable<Uint8Array>,
  name: string,
): AsyncGenerator<Uint8Array, void, void> {
  const iterator = source[Symbol.asyncIterator]()
  const head = await beginning(iterator)
  const whole = rejoined(head, iterator)
  if (head[0] !== 0x1f || head[1] !== 0x8b) {
    yield* whole
    return
  }
  const input = Readable.from(whole, { objectMode: false })
  const gunzip = createGunzip()
  input.on('error', (error) => gunzip.destroy(error))
  try {
    for await (const chunk of input.pipe(gunzip)) yield chunk as Uint8Array
  } catch (cause) {
    if (!isZlibError(cause)) throw cause
    throw usageFailure(`${name} is a broken gzip file (${cause.message})`, cause)
  } finally {
    input.destroy()
  }
}

/** At least two bytes, if there are two: by these gzip is known. */
async function beginning(iterator: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
  let head: Uint8Array = new Uint8Array()
  while (head.length < 2) {
    const next = await iterator.next()
    if (next.done) break
    head = head.length === 0 ? next.value : Buffer.concat([head, next.value])
  }
  return head
}

async function* rejoined(
  head: Uint8Array,
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  if (head.length > 0) yield head
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value
}

function isBinary(name: string): Error {
  return usageFailure(
    `${name} is binary: give an edge list ("a b" a line) or NDJSON, plain or gzipped`,
  )
}

function isZlibError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('Z_')
}
