// An import from its first line to its last, so that it can be interrupted and goes on.

import type { Cellfeed } from '../../client/connect.ts'
import { type AddressFlags, withServer } from '../client-command.ts'
import { CommandFailure, exitCodes, usageFailure } from '../exit.ts'
import { duration, parseTime } from '../human-time.ts'
import { count, harmless } from '../print.ts'
import type { Terminal } from '../terminal.ts'
import { type ImportTally, importLimits, importLines } from './import-lines.ts'
import { type ImportFormat, type ImportSource, lineReader, openSource } from './import-source.ts'
import { ProgressFile } from './progress-file.ts'
import { ProgressMeter } from './progress-meter.ts'

export interface ImportFlags extends AddressFlags {
  readonly format?: ImportFormat
  readonly mutual?: boolean
  readonly asOf?: string
  /** A path, or false for --no-state. */
  readonly state?: string | false
}

/** A server that restarts is waited for. */
const patience = { attemptsMax: 60, firstPauseMs: 100, pauseMaxMs: 2_000 }

export async function runImport(
  path: string,
  flags: ImportFlags,
  terminal: Terminal,
): Promise<void> {
  const source = await openSource(path, terminal.stdin)
  if (source.file?.bytes === 0) throw usageFailure(`${path} is empty: there is nothing to import`)
  const asOf = parseAsOf(flags.asOf, terminal.nowMs())
  const reading = `${flags.format ?? 'any format'}${flags.mutual ? ', mutual' : ''}${
    flags.asOf === undefined ? '' : `, as of ${flags.asOf}`
  }`
  // With the usual few attempts: that no server is there should be known at once.
  let logId = ''
  await withServer(terminal, flags, async (feed) => {
    logId = (await feed.firehosePositions()).logId
  })
  const statePath = statePathOf(path, flags, source)
  const about = { ...source.file, bytes: source.file?.bytes ?? 0, reading, logId }
  const progress = await ProgressFile.open(
    statePath,
    { changedAtMs: 0, ...about },
    { asOf, terminal },
  )
  await withServer(
    terminal,
    flags,
    (feed) => importFrom(source, feed, { flags, progress, terminal }),
    { retry: patience, readYourWrites: false },
  )
}

async function importFrom(
  source: ImportSource,
  feed: Cellfeed,
  run: { flags: ImportFlags; progress: ProgressFile; terminal: Terminal },
): Promise<void> {
  const { progress, terminal } = run
  const { format, mutual = false } = run.flags
  const startedMs = terminal.nowMs()
  const before = progress.tally
  const meter = new ProgressMeter(source, { startedMs, before, terminal })
  try {
    const tally = await importLines({
      lines: source.lines(),
      parse: lineReader({ format, mutual }),
      send: (records) => feed.importRecords(records, { asOf: progress.asOf }),
      from: before,
      advanced: async (now) => {
        meter.show(now)
        await progress.advance(now)
      },
      limits: importLimits,
    })
    await progress.finish()
    report(tally, { before, ms: terminal.nowMs() - startedMs, name: source.name, terminal })
  } catch (thrown) {
    await progress.stop()
    if (!terminal.interrupted.aborted) {
      const { linesDone } = progress.tally
      if (progress.isKept && linesDone > 0) {
        terminal.note(`Stopped after line ${linesDone}; the same command goes on there.`)
      }
      throw thrown
    }
    const how = progress.isKept ? 'the same command goes on there' : 'it was not kept how far'
    const message = `interrupted after line ${progress.tally.linesDone}: ${how}`
    throw new CommandFailure(message, exitCodes.interrupted, { cause: thrown })
  }
}

function report(
  tally: ImportTally,
  run: { before: ImportTally; ms: number; name: string; terminal: Terminal },
): void {
  const { terminal } = run
  const accepted = tally.accepted - run.before.accepted
  const perSecond = Math.round((accepted / Math.max(run.ms, 1)) * 1000)
  terminal.out(
    `${count(tally.accepted, 'record')} imported from ${count(tally.linesDone, 'line')} ` +
      `in ${duration(run.ms)} (${perSecond.toLocaleString('en-US')}/s)`,
  )
  if (tally.badLines === 0) return
  const first = tally.firstBadLine
  const where = first ? `; the first, line ${first.number}: ${harmless(first.reason)}` : ''
  throw new CommandFailure(
    `${count(tally.badLines, 'bad line')} in ${run.name} ${tally.badLines === 1 ? 'was' : 'were'} left out${where}`,
    exitCodes.no,
  )
}

function parseAsOf(given: string | undefined, nowMs: number): Date {
  if (given === undefined) return new Date(nowMs)
  const time = parseTime(given, nowMs)
  if (time === undefined) {
    throw usageFailure(`--as-of "${given}" is no time: give for example 2026-03-01T00:00:00Z or 2h`)
  }
  return time
}

function statePathOf(path: string, flags: ImportFlags, source: ImportSource): string | undefined {
  if (typeof flags.state === 'string') {
    if (source.file === undefined) {
      throw usageFailure('standard input can not be gone on with: leave out --state')
    }
    return flags.state
  }
  return flags.state !== false && source.file ? `${path}.import-state` : undefined
}
