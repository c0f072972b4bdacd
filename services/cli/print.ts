// How results look: posts, tables, JSON lines.

import type { DashboardPost, Post } from '../client/post.ts'
import { ago } from './human-time.ts'
import { postName } from './post-name.ts'

/** One line of JSON: big numbers as strings, times as ISO 8601, bytes as base64. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value, function replace(this: Record<string, unknown>, key, given) {
    const original = this[key]
    if (typeof original === 'bigint') return original.toString()
    if (original instanceof Uint8Array) return Buffer.from(original).toString('base64')
    return given as unknown
  })
}

/** What others wrote, without the control characters that would drive this terminal. */
export function harmless(text: string): string {
  return text.replaceAll(/(?![\n\t])\p{Cc}/gu, '\ufffd')
}

/** A post in a few lines: its name and age, its text, tags, origin. */
export function printPost(post: DashboardPost, nowMs: number): string {
  const facts = [
    ago(post.createdAt, nowMs),
    post.editedAt && `edited ${ago(post.editedAt, nowMs)}`,
    post.audience === 'followers' && 'followers only',
    post.payload.length > 0 && `+ ${count(post.payload.length, 'byte')} of payload`,
  ].filter(Boolean)
  return [
    `${harmless(postName(post))}  ${facts.join(', ')}`,
    ...body(post),
    ...originLines(post),
    '',
  ].join('\n')
}

function body(post: Post): string[] {
  const lines = post.text === '' ? [] : harmless(post.text).split('\n')
  if (post.tags.length > 0) lines.push(post.tags.map((tag) => `#${harmless(tag)}`).join(' '))
  return lines.map((line) => `  ${line}`)
}

function originLines({ origin, reblogOf }: DashboardPost): string[] {
  if (reblogOf === undefined) return []
  const name = harmless(postName(reblogOf))
  if (origin === 'unavailable') return [`  reblog of ${name}, which is not available`]
  const lines = origin === undefined ? [] : body(origin).map((line) => `  |${line}`)
  return [`  reblog of ${name}`, ...lines]
}

/** "1 post", "1,234 posts". */
export function count(number: number | bigint, one: string, many = `${one}s`): string {
  return `${number.toLocaleString('en-US')} ${Number(number) === 1 ? one : many}`
}

/** Rows in columns, numbers to the right. The first row is the heading. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  )
  const isNumber = (cell: string) => /^[\d,.]+( (?:ms|s|min|h|B|KB|MB|GB|%))?$/.test(cell)
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => {
        const numeric = rows.slice(1).every((other) => isNumber(other[column] || '0'))
        const width = widths[column] ?? 0
        return numeric ? cell.padStart(width) : cell.padEnd(width)
      })
      .join('  ')
      .trimEnd()
  return rows.map(line).join('\n')
}

/** "512 B", "3.4 MB". */
export function bytes(number: number | bigint): string {
  let rest = Number(number)
  for (const unit of ['B', 'KB', 'MB']) {
    if (rest < 1000) return `${Number(rest.toPrecision(3))} ${unit}`
    rest /= 1000
  }
  return `${Number(rest.toPrecision(3))} GB`
}
