// From lines to accepted records: batches, a bounded number of them under way, and a tally that
// advances in the order of the lines.
//
//   lines ->  [batch 3] [batch 4]     being sent
//   tally ->  lines done = last line of batch 2

import type { ImportRecord, ImportResult } from '../../client/connect.ts'
import type { ParsedLine } from './edge-list.ts'
import type { BadLine } from './progress-state.ts'
import type { TextLine } from './text-lines.ts'

/** What became of the lines up to `linesDone`. */
export interface ImportTally {
  readonly linesDone: number
  readonly accepted: number
  readonly badLines: number
  readonly firstBadLine: BadLine | undefined
}

export const importLimits = {
  /** The API takes no more in one call ... */
  batchRecordsMax: 1_000,
  /** ... and no message over 4 MiB: lines are as long as their records, or longer. */
  batchBytesMax: 2 << 20,
  batchesInFlightMax: 4,
}

export interface ImportInput {
  readonly lines: AsyncIterable<TextLine>
  readonly parse: (line: string) => ParsedLine
  readonly send: (records: readonly ImportRecord[]) => Promise<ImportResult>
  /** The tally of an earlier run: lines it has done are passed over. */
  readonly from: ImportTally
  readonly advanced: (tally: ImportTally) => void | Promise<void>
  readonly limits: typeof importLimits
}

interface Batch {
  readonly records: ImportRecord[]
  /** Of each record, the number of its line. */
  readonly lineOf: number[]
  readonly bad: BadLine[]
  lastLine: number
  bytes: number
}

/** Throws what `send` throws; the tally given to `advanced` last is then what surely is done. */
export async function importLines(input: ImportInput): Promise<ImportTally> {
  const { limits } = input
  let tally = input.from
  // First in, first out: so the tally passes a line only when all before it are done.
  const underWay: Promise<ImportTally>[] = []
  const launch = (batch: Batch) => {
    const sent = sendBatch(batch, input.send)
    // Its error is looked at when its turn comes.
    sent.catch(() => {})
    underWay.push(sent)
  }
  const settleOldest = async () => {
    const done = await underWay.shift()
    if (done === undefined) return
    tally = sum(tally, done)
    await input.advanced(tally)
  }

  let batch = emptyBatch()
  for await (const line of input.lines) {
    if (line.number <= input.from.linesDone) continue
    addLine(batch, line, input.parse)
    // A line may give two records.
    if (batch.records.length < limits.batchRecordsMax - 1 && batch.bytes < limits.batchBytesMax) {
      continue
    }
    if (underWay.length >= limits.batchesInFlightMax) await settleOldest()
    launch(batch)
    batch = emptyBatch()
  }
  if (batch.lastLine > 0) launch(batch)
  while (underWay.length > 0) await settleOldest()
  return tally
}

function emptyBatch(): Batch {
  return { records: [], lineOf: [], bad: [], lastLine: 0, bytes: 0 }
}

function addLine(batch: Batch, line: TextLine, parse: ImportInput['parse']): void {
  batch.lastLine = line.number
  const parsed = line.kind === 'bad' ? line : parse(line.text)
  if (parsed.kind === 'bad') batch.bad.push({ number: line.number, reason: parsed.reason })
  if (parsed.kind !== 'records' || line.kind === 'bad') return
  batch.bytes += line.text.length
  for (const record of parsed.records) {
    batch.records.push(record)
    batch.lineOf.push(line.number)
  }
}

async function sendBatch(batch: Batch, send: ImportInput['send']): Promise<ImportTally> {
  const bad = new Map(batch.bad.map((line) => [line.number, line]))
  let accepted = 0
  if (batch.records.length > 0) {
    const result = await send(batch.records)
    accepted = result.acceptedCount
    for (const problem of result.problems) {
      const number = batch.lineOf[problem.index] ?? batch.lastLine
      const field = problem.field === '' ? '' : `${problem.field}: `
      const reason = `${field}${problem.message} (${problem.reason})`
      // Of a line that gave two records, the first problem stands for both.
      if (!bad.has(number)) bad.set(number, { number, reason })
    }
  }
  return {
    linesDone: batch.lastLine,
    accepted,
    badLines: bad.size,
    firstBadLine: [...bad.values()].sort((a, b) => a.number - b.number)[0],
  }
}

function sum(before: ImportTally, batch: ImportTally): ImportTally {
  return {
    linesDone: batch.linesDone,
    accepted: before.accepted + batch.accepted,
    badLines: before.badLines + batch.badLines,
    firstBadLine: before.firstBadLine ?? batch.firstBadLine,
  }
}
