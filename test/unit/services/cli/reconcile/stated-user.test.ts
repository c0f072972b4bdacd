// Lines of a product's data become users, or say what is wrong with them.

import { expect, test } from 'vitest'
import type { TextLine } from '../../../../../services/cli/import/text-lines.ts'
import { type Stated, statedUsers } from '../../../../../services/cli/reconcile/stated-user.ts'

async function read(...texts: string[]): Promise<Stated[]> {
  async function* lines(): AsyncGenerator<TextLine> {
    for (const [i, text] of texts.entries()) yield { kind: 'line', number: i + 1, text }
  }
  const found: Stated[] = []
  for await (const each of statedUsers(lines(), undefined)) found.push(each)
  return found
}

test('NDJSON: one user a line', async () => {
  const [first, second] = await read(
    '{"user":"ann","follows":["bob",{"id":"cid","hideReblogs":true}],"blocks":["eve"],"mutes":[]}',
    '{"user":"bob","readUntil":"2026-03-01T14:05:00Z"}',
  )
  expect(first).toEqual({
    kind: 'user',
    number: 1,
    stated: {
      user: 'ann',
      follows: new Map([
        ['bob', false],
        ['cid', true],
      ]),
      blocks: new Set(['eve']),
      mutes: new Set(),
      readUntil: undefined,
    },
  })
  expect(second).toMatchObject({ stated: { user: 'bob', follows: undefined, blocks: undefined } })
})

test('NDJSON: what is wrong is said with its line, and the rest is read', async () => {
  const found = await read('{"user":"ann"}', '{"user":', '{"user":"bob","likes":[]}', '{"user":""}')
  expect(found.map(({ kind, number }) => `${kind} ${number}`)).toEqual([
    'user 1',
    'bad 2',
    'bad 3',
    'bad 4',
  ])
})

test('an edge list: the edges of one user stand together', async () => {
  const found = await read('# friends', 'ann bob', 'ann cid', '', 'bob ann', 'ann dan')
  expect(found).toMatchObject([
    { kind: 'user', stated: { user: 'ann', blocks: undefined } },
    { kind: 'user', stated: { user: 'bob' } },
    { kind: 'bad', number: 6, reason: 'the edges of ann do not stand together: sort the file' },
  ])
  expect(found[0]).toMatchObject({
    stated: {
      follows: new Map([
        ['bob', false],
        ['cid', false],
      ]),
    },
  })
})
