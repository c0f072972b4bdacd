// Lines to records: edge lists and NDJSON, and what is said of a line that is neither.

import { describe, expect, test } from 'vitest'
import { parseEdge } from '../../../../../services/cli/import/edge-list.ts'
import { lineReader } from '../../../../../services/cli/import/import-source.ts'
import { parseNdjsonRecord } from '../../../../../services/cli/import/ndjson-record.ts'

describe('edge lists', () => {
  const there = { follow: { userId: 'a', authorId: 'b' } }
  const back = { follow: { userId: 'b', authorId: 'a' } }

  test.each(['a b', ' a\tb ', 'a,b', 'a , b'])('"%s": a follows b', (line) => {
    expect(parseEdge(line, { mutual: false })).toEqual({ kind: 'records', records: [there] })
  })

  test('mutual edges go both ways', () => {
    expect(parseEdge('a b', { mutual: true })).toEqual({ kind: 'records', records: [there, back] })
  })

  test.each(['', '   ', '# Nodes: 75879', '% sym'])('"%s" is no edge, and not bad', (line) => {
    expect(parseEdge(line, { mutual: false })).toEqual({ kind: 'nothing' })
  })

  test.each([
    ['a', 'found 1'],
    ['a b c', 'found 3'],
    ['a,', 'two user ids'],
    ['a a', 'follows themselves'],
  ])('"%s" is bad', (line, reason) => {
    expect(parseEdge(line, { mutual: false })).toEqual({
      kind: 'bad',
      reason: expect.stringContaining(reason) as string,
    })
  })
})

describe('NDJSON', () => {
  const at = '2026-03-01T14:05:00.000Z'

  test('a post keeps all it has', () => {
    const post = {
      authorId: 'bob',
      externalId: 'p-1',
      createdAt: at,
      editedAt: at,
      audience: 'AUDIENCE_FOLLOWERS',
      text: 'hello',
      tags: ['tea'],
      payload: 'aGk=',
      reblogOfImported: { authorId: 'eve', externalId: 'p-0', createdAt: at },
    }
    expect(parseNdjsonRecord(JSON.stringify({ post }))).toEqual({
      kind: 'records',
      records: [
        {
          post: {
            ...post,
            createdAt: new Date(at),
            editedAt: new Date(at),
            audience: 'followers',
            payload: Buffer.from('hi'),
            reblogOfImported: { ...post.reblogOfImported, createdAt: new Date(at) },
          },
        },
      ],
    })
  })

  test.each([
    { follow: { userId: 'a', authorId: 'b', hideReblogs: true } },
    { block: { userId: 'a', targetId: 'b' } },
    { mute: { userId: 'a', targetId: 'b' } },
    { readMark: { userId: 'a', postId: '1' } },
  ])('%o is a record as it is', (record) => {
    const parsed = parseNdjsonRecord(JSON.stringify(record))
    expect(parsed).toEqual({ kind: 'records', records: [record] })
  })

  test.each([
    ['{"follow": ', 'no JSON'],
    ['[]', 'expected an object'],
    ['7', 'expected an object'],
    ['{"like": {}}', 'expected an object with one of post, follow'],
    ['{"follow": {"userId": "a"}}', 'follow.authorId'],
    ['{"follow": {"userId": "a", "authorId": "b", "since": 1}}', 'since'],
    ['{"follow": {"userId": "a", "authorId": "b"}, "mute": {}}', 'mute'],
    ['{"post": {"authorId": "a", "externalId": "1", "createdAt": "yesterday"}}', 'post.createdAt'],
    ['{"readMark": {"userId": "a"}}', 'readMark'],
  ])('%s is bad, and the reason says where', (line, reason) => {
    expect(parseNdjsonRecord(line)).toEqual({
      kind: 'bad',
      reason: expect.stringContaining(reason) as string,
    })
  })
})

describe('a file without a told format', () => {
  test('is read as its first line looks that is no comment', () => {
    const edges = lineReader({ format: undefined, mutual: false })
    expect(['# graph', '', 'a b', '{"follow": {}}'].map((line) => edges(line).kind)).toEqual([
      'nothing',
      'nothing',
      'records',
      'bad',
    ])
    const ndjson = lineReader({ format: undefined, mutual: false })
    const record = '{"follow": {"userId": "a", "authorId": "b"}}'
    expect([record, 'a b'].map((line) => ndjson(line).kind)).toEqual(['records', 'bad'])
  })
})
