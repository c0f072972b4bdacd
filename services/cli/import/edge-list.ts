// Edge lists as graph collections publish them: two ids a line, apart by blanks, tabs or one comma;
// lines that begin with # or % are comments.

import type { ImportRecord } from '../../client/connect.ts'

export type ParsedLine =
  | { readonly kind: 'records'; readonly records: readonly ImportRecord[] }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'bad'; readonly reason: string }

const nothing: ParsedLine = { kind: 'nothing' }

/** "a b" is read as: a follows b. `mutual`: and b follows a. */
export function parseEdge(line: string, { mutual }: { readonly mutual: boolean }): ParsedLine {
  const text = line.trim()
  if (text === '' || text.startsWith('#') || text.startsWith('%')) return nothing
  if (text.startsWith('{')) return { kind: 'bad', reason: 'a record in an edge list' }
  const ids = text.split(/\s*,\s*|\s+/)
  const [a, b] = ids
  if (ids.length !== 2 || !a || !b) {
    return { kind: 'bad', reason: `expected two user ids, found ${ids.length}` }
  }
  if (a === b) return { kind: 'bad', reason: `${a} follows themselves` }
  const there: ImportRecord = { follow: { userId: a, authorId: b } }
  if (!mutual) return { kind: 'records', records: [there] }
  return { kind: 'records', records: [there, { follow: { userId: b, authorId: a } }] }
}
