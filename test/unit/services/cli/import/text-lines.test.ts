// Lines out of bytes: plain or gzipped, however they are cut, and never a guess about what is no text.

import { gzipSync } from 'node:zlib'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  lineBytesMax,
  type TextLine,
  textLines,
} from '../../../../../services/cli/import/text-lines.ts'

async function read(chunks: readonly Uint8Array[]): Promise<TextLine[]> {
  async function* source() {
    for (const chunk of chunks) yield await Promise.resolve(chunk)
  }
  const lines: TextLine[] = []
  for await (const line of textLines(source(), 'the file')) lines.push(line)
  return lines
}

const textsOf = (lines: readonly TextLine[]) =>
  lines.map((line) => (line.kind === 'line' ? line.text : line.reason))

describe('text lines', () => {
  test('are numbered from 1, with or without a newline at the end, and with Windows ends', async () => {
    const lines = await read([Buffer.from('a b\r\n\nc d')])
    expect(lines).toEqual([
      { kind: 'line', number: 1, text: 'a b' },
      { kind: 'line', number: 2, text: '' },
      { kind: 'line', number: 3, text: 'c d' },
    ])
    expect(await read([Buffer.from('a b\n')])).toHaveLength(1)
  })

  test('are the same however the bytes are cut, plain or gzipped', async () => {
    const text = fc.array(fc.string({ unit: 'grapheme' }).map((s) => s.replaceAll(/[\r\n\0]/g, '')))
    await fc.assert(
      fc.asyncProperty(
        text,
        fc.boolean(),
        fc.integer({ min: 1, max: 9 }),
        async (lines, zip, size) => {
          const plain = Buffer.from(`first\n${lines.join('\n')}`)
          const whole = zip ? gzipSync(plain) : plain
          const chunks = []
          for (let at = 0; at < whole.length; at += size) chunks.push(whole.subarray(at, at + size))
          const expected = ['first', ...lines.join('\n').split('\n')]
          if (expected.at(-1) === '') expected.pop()
          expect(textsOf(await read(chunks))).toEqual(expected)
        },
      ),
      { numRuns: 50 },
    )
  })

  test('what is not UTF-8 is a bad line, and the others are read', async () => {
    const lines = await read([Buffer.from([0x61, 10, 0xff, 0xfe, 10, 0x62])])
    expect(textsOf(lines)).toEqual(['a', 'not UTF-8 text', 'b'])
  })

  test('a line that is too long is a bad line, and the others are read', async () => {
    const long = Buffer.alloc(lineBytesMax, 'x')
    const lines = await read([Buffer.from('a\n'), long, long, Buffer.from('\nb')])
    expect(textsOf(lines)).toEqual(['a', `longer than ${lineBytesMax} bytes`, 'b'])
  })

  test.each([
    ['an empty file', Buffer.alloc(0), 'is empty'],
    ['a gzipped empty file', gzipSync(''), 'is empty'],
    ['a binary file', Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 1]), 'is binary'],
    ['a gzipped binary file', gzipSync(Buffer.from([1, 0, 2])), 'is binary'],
    ['a gzip file cut short', gzipSync('a b\n'.repeat(9)).subarray(0, 20), 'broken gzip file'],
    ['something that only begins like gzip', Buffer.from([0x1f, 0x8b, 1, 2, 3]), 'broken gzip'],
  ])('%s is refused as wrong usage', async (_, bytes, message) => {
    await expect(read([bytes])).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining(message) as string,
    })
  })
})
