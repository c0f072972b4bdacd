// Records as NDJSON: on each line one ImportRecord of the API, in the JSON form of protobuf (names in
// camelCase, times as ISO 8601, bytes as base64):
//
//   {"post": {"authorId": "bob", "externalId": "p-1", "createdAt": "2026-03-01T14:05:00Z", "text": "hello"}}
//   {"follow": {"userId": "alice", "authorId": "bob", "hideReblogs": true}}
//   {"block": {"userId": "alice", "targetId": "eve"}}
//   {"mute": {"userId": "alice", "targetId": "dave"}}
//   {"readMark": {"userId": "alice", "readUntil": "2026-03-01T14:05:00Z"}}
//
// Unknown fields are refused, as they would be lost silently. Limits are the server's to check.

import { z } from 'zod'
import type { ImportRecord } from '../../client/connect.ts'
import type { ParsedLine } from './edge-list.ts'

const time = z.iso.datetime({ offset: true }).transform((text) => new Date(text))
const userId = z.string()
const origin = z.strictObject({ authorId: userId, postId: z.string() })
const importedOrigin = z.strictObject({
  authorId: userId,
  externalId: z.string(),
  createdAt: time,
})

const post = z
  .strictObject({
    authorId: userId,
    externalId: z.string(),
    createdAt: time,
    editedAt: time.optional(),
    audience: z
      .enum(['AUDIENCE_PUBLIC', 'AUDIENCE_FOLLOWERS', 'public', 'followers'])
      .transform((name) => (name.toLowerCase().endsWith('followers') ? 'followers' : 'public'))
      .optional(),
    reblogOf: origin.optional(),
    reblogOfImported: importedOrigin.optional(),
    text: z.string().optional(),
    tags: z.array(z.string()).optional(),
    payload: z
      .base64()
      .transform((text) => Buffer.from(text, 'base64'))
      .optional(),
  })
  .refine((given) => !(given.reblogOf && given.reblogOfImported), {
    error: 'give either reblogOf or reblogOfImported',
  })

const follow = z.strictObject({ userId, authorId: userId, hideReblogs: z.boolean().optional() })
const relation = z.strictObject({ userId, targetId: userId })
const readMark = z.union([
  z.strictObject({ userId, postId: z.string() }),
  z.strictObject({ userId, readUntil: time }),
])

const kinds = {
  post: z.strictObject({ post }),
  follow: z.strictObject({ follow }),
  block: z.strictObject({ block: relation }),
  mute: z.strictObject({ mute: relation }),
  readMark: z.strictObject({ readMark }),
}

export function parseNdjsonRecord(line: string): ParsedLine {
  if (line.trim() === '') return { kind: 'nothing' }
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (thrown) {
    return { kind: 'bad', reason: `no JSON: ${thrown instanceof Error ? thrown.message : ''}` }
  }
  const kind = kindOf(value)
  if (kind === undefined) {
    const names = Object.keys(kinds).join(', ')
    return { kind: 'bad', reason: `expected an object with one of ${names}` }
  }
  const parsed = kinds[kind].safeParse(value)
  if (parsed.success) return { kind: 'records', records: [parsed.data as ImportRecord] }
  const problem = parsed.error.issues[0]
  const path = problem?.path.join('.')
  return { kind: 'bad', reason: `${path ? `${path}: ` : ''}${problem?.message ?? 'not valid'}` }
}

function kindOf(value: unknown): keyof typeof kinds | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  return Object.keys(kinds).find((name) => name in value) as keyof typeof kinds | undefined
}
