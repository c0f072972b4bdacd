// What a product says of its users: one line a user in NDJSON, with all whom they follow, block and mute, and how far they have read;
// or an edge list, in which the edges of one user stand together and say nothing of blocks and mutes.
//
//   {"user": "alice", "follows": ["bob", {"id": "carol", "hideReblogs": true}], "blocks": ["eve"], "mutes": []}
//
// A list that is left out is not looked at.

import { z } from 'zod'
import { parseEdge } from '../import/edge-list.ts'
import type { ImportFormat } from '../import/import-source.ts'
import type { TextLine } from '../import/text-lines.ts'

export type StatedUser = {
  readonly user: string
  /** Author -> whether their reblogs are hidden. */
  readonly follows: ReadonlyMap<string, boolean> | undefined
  readonly blocks: ReadonlySet<string> | undefined
  readonly mutes: ReadonlySet<string> | undefined
  readonly readUntil: Date | undefined
}
export type Stated =
  | { readonly kind: 'user'; readonly number: number; readonly stated: StatedUser }
  | { readonly kind: 'bad'; readonly number: number; readonly reason: string }

const id = z.string().min(1)
const follow = z.union([
  id.transform((author) => [author, false] as const),
  z
    .strictObject({ id, hideReblogs: z.boolean().default(false) })
    .transform((given) => [given.id, given.hideReblogs] as const),
])
const ids = z
  .array(id)
  .transform((list) => new Set(list))
  .optional()
const line = z.strictObject({
  user: id,
  follows: z
    .array(follow)
    .transform((list) => new Map(list))
    .optional(),
  blocks: ids,
  mutes: ids,
  readUntil: z.iso
    .datetime({ offset: true })
    .transform((text) => new Date(text))
    .optional(),
})

/** `format`: as told, else as the first line looks that is neither blank nor a comment. */
export async function* statedUsers(
  lines: AsyncIterable<TextLine>,
  format: ImportFormat | undefined,
): AsyncGenerator<Stated, void, void> {
  let isNdjson = format === undefined ? undefined : format === 'ndjson'
  let edges:
    | { readonly user: string; readonly follows: Map<string, boolean>; number: number }
    | undefined
  const done = new Set<string>()
  for await (const { number, ...text } of lines) {
    if (text.kind === 'bad') {
      yield { kind: 'bad', number, reason: text.reason }
      continue
    }
    const trimmed = text.text.trim()
    if (trimmed === '' || /^[#%]/.test(trimmed)) continue
    isNdjson ??= trimmed.startsWith('{')
    if (isNdjson) {
      yield parseUser(number, trimmed)
      continue
    }
    const edge = edgeOf(trimmed)
    if (typeof edge === 'string') {
      yield { kind: 'bad', number, reason: edge }
      continue
    }
    if (edges !== undefined && edges.user !== edge.user) {
      yield userOfEdges(edges)
      done.add(edges.user)
      edges = undefined
    }
    if (done.has(edge.user)) {
      const reason = `the edges of ${edge.user} do not stand together: sort the file`
      yield { kind: 'bad', number, reason }
      continue
    }
    edges ??= { user: edge.user, follows: new Map(), number }
    edges.follows.set(edge.author, false)
    edges.number = number
  }
  if (edges !== undefined) yield userOfEdges(edges)
}

function userOfEdges(edges: {
  readonly user: string
  readonly follows: ReadonlyMap<string, boolean>
  readonly number: number
}): Stated {
  const { user, follows, number } = edges
  const rest = { blocks: undefined, mutes: undefined, readUntil: undefined }
  return { kind: 'user', number, stated: { user, follows, ...rest } }
}

function parseUser(number: number, text: string): Stated {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : ''
    return { kind: 'bad', number, reason: `no JSON: ${why}` }
  }
  const parsed = line.safeParse(value)
  if (!parsed.success) {
    const problem = parsed.error.issues[0]
    const path = problem?.path.join('.')
    const reason = `${path ? `${path}: ` : ''}${problem?.message ?? 'not valid'}`
    return { kind: 'bad', number, reason }
  }
  const { user, follows, blocks, mutes, readUntil } = parsed.data
  return { kind: 'user', number, stated: { user, follows, blocks, mutes, readUntil } }
}

/** What is wrong, if it is no edge. */
function edgeOf(text: string): { readonly user: string; readonly author: string } | string {
  const parsed = parseEdge(text, { mutual: false })
  if (parsed.kind === 'bad') return parsed.reason
  const [record] = parsed.kind === 'records' ? parsed.records : []
  if (record === undefined || !('follow' in record)) return 'no edge'
  return { user: record.follow.userId, author: record.follow.authorId }
}
