// Tokens: what a client holds is opaque, and what comes back is trusted only as far as it can be.

import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { PostId } from '../../../../cells/model/post-id.ts'
import { userKey } from '../../../../cells/model/user-key.ts'
import { PageToken, SealedPageToken } from '../../../../gen/cellfeed/internal/v1/token.ts'
import { ConsistencyTokens } from '../../../../services/gateway/consistency-tokens.ts'
import { ApiError } from '../../../../services/gateway/errors.ts'
import { type PageOwner, PageTokens } from '../../../../services/gateway/page-tokens.ts'

const identity = { logId: '00000000000000a1', partitionsPerTopic: 2 }
const tokens = new ConsistencyTokens(identity)
const otherLog = new ConsistencyTokens({ ...identity, logId: 'ffffffffffffffff' })

function codeOf(call: () => unknown): string {
  try {
    call()
  } catch (error) {
    if (error instanceof ApiError) return error.code
    throw error
  }
  return 'accepted'
}

describe('consistency tokens', () => {
  test('come back as they went out', () => {
    const position = fc.array(fc.nat(), { minLength: 4, maxLength: 4 })
    fc.assert(
      fc.property(position, (at) => {
        expect(tokens.readAll([tokens.write(at)])).toEqual(at)
      }),
    )
  })

  test('several ask for the greatest of each partition, empty ones for nothing', () => {
    const given = [tokens.write([5, 0, 1, 0]), '', tokens.write([3, 9, 0, 0])]
    expect(tokens.readAll(given)).toEqual([5, 9, 1, 0])
  })

  test('name the offset after each event', () => {
    const appended = [
      { partition: 1, offset: 7, appendedAtMs: 0 },
      { partition: 1, offset: 8, appendedAtMs: 0 },
      { partition: 2, offset: 0, appendedAtMs: 0 },
    ]
    expect(tokens.positionAfter(appended)).toEqual([0, 9, 1, 0])
  })

  test.each([
    ['no base64', '***'],
    ['padded', 'CAE='],
    ['no message', Buffer.from([255, 255]).toString('base64url')],
    ['of a newer version', Buffer.from([8, 2]).toString('base64url')],
    ['far too long', 'A'.repeat(5_000)],
  ])('that are %s are refused', (_, token) => {
    expect(codeOf(() => tokens.readAll([token]))).toBe('CONSISTENCY_TOKEN_INVALID')
  })

  test('of a log with more partitions are refused', () => {
    const wider = new ConsistencyTokens({ ...identity, partitionsPerTopic: 8 })
    const token = wider.write([0, 0, 0, 0, 0, 0, 0, 3])
    expect(codeOf(() => tokens.readAll([token]))).toBe('CONSISTENCY_TOKEN_INVALID')
  })

  test('of another log are told apart', () => {
    expect(codeOf(() => tokens.readAll([otherLog.write([1])]))).toBe('OTHER_LOG')
  })

  test('more than 32 are refused', () => {
    const many = Array.from({ length: 33 }, () => '')
    expect(codeOf(() => tokens.readAll(many))).toBe('CONSISTENCY_TOKEN_INVALID')
  })

  test('a place of the public topic keeps every partition, also at 0', () => {
    expect(tokens.readPlace(tokens.writePlace([0, 4, 9, 9]), 'position')).toEqual([0, 4, 0, 0])
    expect(tokens.readPlace(tokens.write([0, 4, 0, 0]), 'position')).toBeUndefined()
    expect(tokens.readPlace('!', 'position')).toBeUndefined()
  })
})

describe('page tokens', () => {
  const keys = [{ id: 1, secret: new Uint8Array(32).fill(1) }]
  const pages = new PageTokens(keys, tokens)
  const bob: PageOwner = { call: 'dashboard', user: userKey('bob') }
  const place = { postId: 77n as PostId, author: userKey('eve') }
  const token = pages.sealPlace(bob, 'older', place, [1, 2, 3, 4])

  test('bring back cursor and what the session saw', () => {
    expect(pages.open(token, bob)).toEqual({
      direction: 'older',
      author: place.author,
      postId: 77n,
      seen: [1, 2, 3, 4],
    })
    expect(pages.open('', bob)).toBeUndefined()
  })

  test('a list of users has a cursor without post', () => {
    const owner: PageOwner = { call: 'followers', user: userKey('bob') }
    const opened = pages.open(pages.sealUser(owner, userKey('eve'), []), owner)
    expect(opened?.postId).toBeUndefined()
    expect(opened?.author).toBe(userKey('eve'))
  })

  test.each([
    ['another user', { call: 'dashboard', user: userKey('eve') }],
    ['another call', { call: 'following', user: userKey('bob') }],
    ['another viewer', { call: 'dashboard', user: userKey('bob'), viewer: userKey('eve') }],
  ] as const)('of %s are refused', (_, owner) => {
    expect(codeOf(() => pages.open(token, owner))).toBe('PAGE_TOKEN_MISMATCH')
  })

  test('changed in any bit are refused', () => {
    const bytes = Buffer.from(token, 'base64url')
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes)
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      const code = codeOf(() => pages.open(changed.toString('base64url'), bob))
      expect(code).toBe('PAGE_TOKEN_INVALID')
    }
  })

  test('cut, spaced or of no key at all are refused', () => {
    for (const bad of [token.slice(0, -2), `${token} `, 'x', 'AAAA']) {
      expect(codeOf(() => pages.open(bad, bob))).toBe('PAGE_TOKEN_INVALID')
    }
    const stranger = new PageTokens([{ id: 1, secret: new Uint8Array(32).fill(2) }], tokens)
    expect(codeOf(() => stranger.open(token, bob))).toBe('PAGE_TOKEN_INVALID')
  })

  test('sealed with an older key still open', () => {
    const both = new PageTokens([...keys, { id: 2, secret: new Uint8Array(32).fill(9) }], tokens)
    expect(both.open(token, bob)?.postId).toBe(77n)
    expect(codeOf(() => pages.open(both.sealPlace(bob, 'newer', place, []), bob))).toBe(
      'PAGE_TOKEN_INVALID',
    )
  })

  test('of another version, sealed rightly, say so', async () => {
    const { createHmac } = await import('node:crypto')
    const payload = Buffer.from(
      PageToken.encode({
        version: 2,
        call: 1,
        userHash: Buffer.alloc(16),
        direction: 1,
        postId: 1n,
        authorHash: Buffer.alloc(16),
        seen: undefined,
        viewerHash: Buffer.alloc(0),
      }).finish(),
    )
    const mac = createHmac('sha256', new Uint8Array(32).fill(1)).update(payload).digest()
    const sealed = SealedPageToken.encode({ payload, mac: mac.subarray(0, 16), keyId: 1 }).finish()
    const newer = Buffer.from(sealed).toString('base64url')
    expect(codeOf(() => pages.open(newer, bob))).toBe('PAGE_TOKEN_VERSION_UNSUPPORTED')
  })

  test('of another log say so', () => {
    const elsewhere = new PageTokens(keys, otherLog)
    const foreign = elsewhere.sealPlace(bob, 'older', place, [1])
    expect(codeOf(() => pages.open(foreign, bob))).toBe('OTHER_LOG')
  })
})
