// load: a generator that shows how a server does under posts, follows and reads at given rates.

import type { Command } from 'commander'
import type { Cellfeed } from '../client/connect.ts'
import {
  type AddressFlags,
  addressFlags,
  examples,
  parseCount,
  parseNotNegative,
  parsePositive,
  withServer,
} from './client-command.ts'
import { CommandFailure, exitCodes, usageFailure } from './exit.ts'
import { KindRecorder, printReports } from './load/load-report.ts'
import { type LoadKind, runOpenLoop } from './load/open-loop.ts'
import { poissonPauseMs, seededRandom, zipfRanks } from './load/random.ts'
import { count, jsonLine } from './print.ts'
import type { Terminal } from './terminal.ts'

interface LoadFlags extends AddressFlags {
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

export function addLoadCommand(program: Command, terminal: Terminal): void {
  const command = addressFlags(
    program
      .command('load')
      .summary('Put a load on a server and measure it')
      .description(
        'Put a load on a server and measure it. It makes users of its own; authors are drawn by Zipf, ' +
          'times by chance, independent of the answers; latency counts from the intended time.',
      )
      .option('--users <count>', 'how many users', parseCount, 1_000)
      .option('--follows-each <count>', 'whom each follows at the start', parseNotNegative, 20)
      .option('--zipf <exponent>', 'how unequal authors are (0: equal)', parseNotNegative, 1)
      .option('--posts <per-second>', 'posts', parseNotNegative, 50)
      .option('--follows <per-second>', 'follows', parseNotNegative, 10)
      .option('--reads <per-second>', 'first pages of dashboards', parseNotNegative, 200)
      .option('--seconds <seconds>', 'for how long', parsePositive, 10)
      .option('--in-flight <calls>', 'at most so many calls at once', parseCount, 256)
      .option('--text-bytes <bytes>', 'length of a text', parseCount, 200)
      .option('--prefix <text>', "what its users' ids begin with", 'load-')
      .option('--seed <number>', 'the same again gives the same load', parseCount, 1)
      .option('--json', 'print JSON'),
  ).action((flags: LoadFlags) => runLoad(flags, terminal))
  examples(command, [
    ['cellfeed load', 'ten seconds of 50 posts, 10 follows and 200 reads a second'],
    ['cellfeed load --posts 1000 --reads 0 --seconds 60', 'only posts, for a minute'],
    ['cellfeed load --users 100000 --follows-each 200', 'on a large graph'],
  ])
}

async function runLoad(flags: LoadFlags, terminal: Terminal): Promise<void> {
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
