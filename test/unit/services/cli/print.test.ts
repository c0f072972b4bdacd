// What results look like, and that what others wrote can not drive the terminal.

import { describe, expect, test } from 'vitest'
import type { DashboardPost } from '../../../../services/client/post.ts'
import {
  bytes,
  count,
  harmless,
  jsonLine,
  printPost,
  table,
} from '../../../../services/cli/print.ts'

const nowMs = Date.UTC(2026, 2, 10, 12)
const post: DashboardPost = {
  authorId: 'bob',
  postId: '123',
  createdAt: new Date(nowMs - 120_000),
  editedAt: undefined,
  audience: 'public',
  reblogOf: undefined,
  externalId: '',
  text: 'hello\nworld',
  tags: ['tea'],
  payload: new Uint8Array(),
  origin: undefined,
}

describe('posts', () => {
  test('a post shows its name, age, text and tags', () => {
    expect(printPost(post, nowMs)).toBe('bob/123  2 min ago\n  hello\n  world\n  #tea\n')
  })

  test('a reblog shows its origin, or that there is none', () => {
    const reblog = { ...post, text: '', tags: [], reblogOf: { authorId: 'eve', postId: '7' } }
    const origin = { ...post, authorId: 'eve', postId: '7', text: 'first', tags: [] }
    expect(printPost({ ...reblog, origin }, nowMs)).toContain('reblog of eve/7\n  |  first')
    expect(printPost({ ...reblog, origin: 'unavailable' }, nowMs)).toContain('not available')
  })

  test('escape sequences in a post do not reach the terminal', () => {
    const shown = printPost({ ...post, authorId: 'b\u001b[2J', text: '\u001b]0;x\u0007' }, nowMs)
    expect(shown).not.toContain('\u001b')
    expect(shown).not.toContain('\u0007')
    expect(harmless('tab\tand\nline')).toBe('tab\tand\nline')
  })
})

describe('lines and tables', () => {
  test('JSON has big numbers as strings, times as ISO 8601, bytes as base64', () => {
    const value = { offset: 2n ** 60n, at: new Date(nowMs), payload: Buffer.from('hi'), none: null }
    expect(jsonLine(value)).toBe(
      '{"offset":"1152921504606846976","at":"2026-03-10T12:00:00.000Z","payload":"aGk=","none":null}',
    )
  })

  test('columns of numbers stand to the right', () => {
    expect(
      table([
        ['what', 'n'],
        ['a', '1'],
        ['b', '1,234'],
      ]),
    ).toBe('what      n\na         1\nb     1,234')
  })

  test('counts and sizes have their units', () => {
    expect([count(1, 'post'), count(1234n, 'post')]).toEqual(['1 post', '1,234 posts'])
    expect([bytes(512), bytes(3_400_000n)]).toEqual(['512 B', '3.4 MB'])
  })
})
