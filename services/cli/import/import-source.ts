// What is imported: a file or standard input, counted as it is read, and how its lines are to be read.

import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { usageFailure } from '../exit.ts'
import { type ParsedLine, parseEdge } from './edge-list.ts'
import { parseNdjsonRecord } from './ndjson-record.ts'
import { type TextLine, textLines } from './text-lines.ts'

export interface ImportSource {
  /** For messages. */
  readonly name: string
  /** Undefined of standard input. */
  readonly file: { readonly bytes: number; readonly changedAtMs: number } | undefined
  /** How much of the file the lines given out so far are; undefined if that can not be known. */
  readonly share: (linesDone: number) => number | undefined
  readonly lines: () => AsyncIterable<TextLine>
}

export async function openSource(
  path: string,
  stdin: AsyncIterable<Uint8Array>,
): Promise<ImportSource> {
  const file = path === '-' ? undefined : await fileFacts(path)
  const name = path === '-' ? 'standard input' : path
  let bytesRead = 0
  let linesRead = 0
  async function* countedBytes(source: AsyncIterable<Uint8Array>) {
    for await (const chunk of source) {
      bytesRead += chunk.length
      yield chunk
    }
  }
  async function* lines() {
    const source = file === undefined ? stdin : createReadStream(path)
    for await (const line of textLines(countedBytes(source), name)) {
      linesRead = line.number
      yield line
    }
  }
  // A gzipped file is read far ahead of its lines: of what was read, only the lines done count.
  const share = (linesDone: number) =>
    file === undefined || linesRead === 0
      ? undefined
      : (bytesRead / file.bytes) * (linesDone / linesRead)
  return { name, file, share, lines }
}

async function fileFacts(path: string) {
  try {
    const facts = await stat(path)
    if (!facts.isFile()) throw usageFailure(`${path} is not a file: give an edge list or NDJSON`)
    return { bytes: facts.size, changedAtMs: Math.trunc(facts.mtimeMs) }
  } catch (thrown) {
    if (!(thrown instanceof Error) || !('code' in thrown)) throw thrown
    const why = thrown.code === 'ENOENT' ? 'there is no such file' : thrown.message
    throw usageFailure(`${path} can not be read: ${why}`, thrown)
  }
}

export type ImportFormat = 'edges' | 'ndjson'

/** How a line is read: as told, else as the first line looks that is neither blank nor a comment. */
export function lineReader(options: {
  readonly format: ImportFormat | undefined
  readonly mutual: boolean
}): (line: string) => ParsedLine {
  let { format } = options
  return (line) => {
    const text = line.trimStart()
    if (format === undefined) {
      if (text === '' || /^[#%]/.test(text)) return { kind: 'nothing' }
      format = text.startsWith('{') ? 'ndjson' : 'edges'
    }
    return format === 'ndjson' ? parseNdjsonRecord(line) : parseEdge(line, options)
  }
}
