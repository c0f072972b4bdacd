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
  readonly bytesRead: () => number
  readonly lines: () => AsyncIterable<TextLine>
}

export async function openSource(
  path: string,
  stdin: AsyncIterable<Uint8Array>,
): Promise<ImportSource> {
  let bytesRead = 0
  async function* counted(source: AsyncIterable<Uint8Array>) {
    for await (const chunk of source) {
      bytesRead += chunk.length
      yield chunk
    }
  }
  if (path === '-') {
    const name = 'standard input'
    const lines = () => textLines(counted(stdin), name)
    return { name, file: undefined, bytesRead: () => bytesRead, lines }
  }
  const file = await fileFacts(path)
  const lines = () => textLines(counted(createReadStream(path)), path)
  return { name: path, file, bytesRead: () => bytesRead, lines }
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
