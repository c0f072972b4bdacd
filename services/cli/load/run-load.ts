// A load run: users of its own who follow each other, then posts, follows and reads at given rates.

import type { Cellfeed } from '../../client/connect.ts'
import { type AddressFlags, withServer } from '../client-command.ts'
import { CommandFailure, exitCodes, usageFailure } from '../exit.ts'
import { count, jsonLine } from '../print.ts'
import type { Terminal } from '../terminal.ts'
import { KindRecorder, printReports } from './load-report.ts'
import { type LoadKind, runOpenLoop } from './open-loop.ts'
import { poissonPauseMs, seededRandom, zipfRanks } from './random.ts'

export interface LoadFlags extends AddressFlags {
  readonly users: number
  readonly followsEach: number
  readonly zipf: number
  readonly posts: number
  readonly follows: number
  readonly reads: number
  readonly seconds: number
  readonly inFlight: number
  readonly textBytes: number
  readonly prefix: string
  readonly seed: number
  readonly json?: boolean
}

/** More would tell nothing that the first hundred thousand in line do not. */
const waitingMax = 100_000
const importBatch = 1_000

export async function runLoad(flags: LoadFlags, terminal: Terminal): Promise<void> {
  if (flags.users < 2) throw usageFailure('--users: give 2 or more, as users follow each other')
  const random = seededRandom(flags.seed)
  const rank = zipfRanks(flags.users, flags.zipf, random)
  const user = (number: number) => `${flags.prefix}${number}`
  const anyone = () => Math.floor(random() * flags.users)
  const pair = () => {
    const reader = anyone()
    const author = rank()
    return {
      userId: user(reader),
      authorId: user(author === reader ? (author + 1) % flags.users : author),
    }
  }

  await withServer(
    terminal,
    flags,
    async (feed) => {
      // Stops at once, with exit code 3, if there is no server.
      await feed.firehosePositions()
      await prepareGraph(feed, { flags, pair, terminal })
    },
    { readYourWrites: false },
  )

  // A call is one attempt: what failed is counted, not hidden by another.
  const options = { readYourWrites: false, retry: { attemptsMax: 1 } }
  await withServer(
    terminal,
    flags,
    async (feed) => {
      const text = 'x'.repeat(flags.textBytes)
      const kinds: LoadKind[] = [
        {
          name: 'post',
          perSecond: flags.posts,
          send: async () => void (await feed.publish(user(rank()), text)),
        },
        {
          name: 'follow',
          perSecond: flags.follows,
          send: async () => {
            const { userId, authorId } = pair()
            await feed.follow(userId, authorId)
          },
        },
        {
          name: 'read',
          perSecond: flags.reads,
          send: async () => void (await feed.dashboard(user(anyone()))),
        },
      ]
      await measure(kinds, { flags, random, terminal })
    },
    options,
  )
}

async function prepareGraph(
  feed: Cellfeed,
  run: {
    flags: LoadFlags
    pair: () => { userId: string; authorId: string }
    terminal: Terminal
  },
): Promise<void> {
  const { flags, pair, terminal } = run
  const total = Math.round(flags.users * flags.followsEach)
  if (total === 0) return
  terminal.note(`Preparing: ${count(flags.users, 'user')}, ${count(total, 'follow')} ...`)
  const asOf = new Date(terminal.nowMs())
  for (let done = 0; done < total; done += importBatch) {
    const size = Math.min(importBatch, total - done)
    const records = Array.from({ length: size }, () => ({ follow: pair() }))
    await feed.importRecords(records, { asOf })
  }
}

async function measure(
  kinds: readonly LoadKind[],
  run: { flags: LoadFlags; random: () => number; terminal: Terminal },
): Promise<void> {
  const { flags, random, terminal } = run
  const recorders = new Map(
    kinds.map((kind) => [kind.name, new KindRecorder(kind.name, kind.perSecond)]),
  )
  terminal.note(`Measuring for ${flags.seconds} s ...`)
  const result = await runOpenLoop({
    kinds,
    durationMs: flags.seconds * 1000,
    inFlightMax: flags.inFlight,
    waitingMax,
    pauseMs: (perSecond) => poissonPauseMs(perSecond, random),
    clock: {
      nowMs: () => performance.now(),
      waitMs: (ms) =>
        new Promise((resolve) => {
          setTimeout(resolve, ms)
        }),
    },
    stopped: () => terminal.interrupted.aborted,
    answered: (kind, latencyMs, error) => {
      // What Ctrl-C cut off is no failure.
      if (!terminal.interrupted.aborted) recorders.get(kind.name)?.record(latencyMs, error)
    },
  })
  const reports = kinds.flatMap(({ name }) => {
    const notSent = result.notSent.get(name) ?? 0
    return recorders.get(name)?.report({ elapsedMs: result.elapsedMs, notSent }) ?? []
  })
  terminal.out(
    flags.json
      ? jsonLine({
          elapsedMs: Math.round(result.elapsedMs),
          waitingPeak: result.waitingPeak,
          reports,
        })
      : printReports(reports),
  )
  const failed = reports.reduce((sum, report) => sum + report.failed + report.notSent, 0)
  if (failed > 0) {
    throw new CommandFailure(`${count(failed, 'call')} failed or were not sent`, exitCodes.no)
  }
}
