// explain: why a post is, or is not, on a dashboard.

import type { Command } from 'commander'
import type { Explanation, PairFigures } from '../client/admin-calls.ts'
import { type AdminFlags, adminFlags, examples, withServer } from './client-command.ts'
import { exitCodes } from './exit.ts'
import { duration } from './human-time.ts'
import { parsePostName } from './post-name.ts'
import { count, harmless, jsonLine } from './print.ts'
import type { Terminal } from './terminal.ts'

export function addExplainCommand(program: Command, terminal: Terminal): void {
  const explain = adminFlags(
    program
      .command('explain <user> <post>')
      .summary('Say why a post is, or is not, on a dashboard')
      .description("Say why a post is, or is not, on a user's dashboard (exit code 1: it is not)")
      .option('--json', 'print JSON'),
  ).action(async (user: string, post: string, flags: AdminFlags) => {
    const name = parsePostName(post)
    await withServer(terminal, flags, async (feed) => {
      const answer = await feed.explain(user, name)
      terminal.out(flags.json ? jsonLine(answer) : harmless(printExplanation(answer)))
      if (!answer.onDashboard) terminal.endWith(exitCodes.no)
    })
  })
  examples(explain, [['cellfeed explain alice bob/345678901234567890', '']])
}

function printExplanation(answer: Explanation): string {
  const lag = answer.lagEvents === 0n ? 'up to date' : `${duration(answer.lagMs)} behind`
  return [
    `${answer.onDashboard ? 'Yes' : 'No'}: ${answer.sentence}`,
    `  reason  ${answer.reason}`,
    `  cell    ${answer.cell}, slot ${answer.slot}, ${lag}`,
    ...(answer.source === undefined ? [] : [`  from    ${sources[answer.source]}`]),
    ...(answer.coveredFromPostId === undefined
      ? []
      : [`  covered from post id ${answer.coveredFromPostId} on`]),
    ...(answer.reason === 'UNKNOWN_POST' ? [] : [`  author  ${authorClass(answer)}`]),
    ...(answer.pairFigures === undefined ? [] : [`  pair    ${pairClass(answer.pairFigures)}`]),
    ...(answer.readerClass === undefined ? [] : [`  reader  ${readers[answer.readerClass]}`]),
  ].join('\n')
}

/** The class, and what decided it. */
function authorClass({ authorPulled, pairLeftOut, authorFigures: figures }: Explanation): string {
  const name = authorPulled
    ? 'pulled when somebody looks'
    : pairLeftOut
      ? 'delivered into inboxes, but not into that of this reader'
      : 'delivered into inboxes'
  if (figures === undefined) return name
  const { postsPerS, followers, pullsPerS, deliveredUs, pulledUs, leastUs } = figures
  return (
    `${name}: ${figure(postsPerS * 3_600)} posts an hour, ${count(followers, 'reader')} of this cell, whose pages ` +
    `would pull them ${figure(pullsPerS * 3_600)} times an hour: ${figure(deliveredUs)} us a second to deliver, ${figure(pulledUs)} to pull, ${figure(leastUs)} each reader the cheaper way`
  )
}

/** What it costs either way for this reader; the chunk, the row and how long ago it changed count as well. */
function pairClass({
  postsPerS,
  readsPerS,
  pullsPerS,
  deliveredUs,
  pulledUs,
}: PairFigures): string {
  return (
    `${figure(postsPerS * 3_600)} posts an hour, read below the window ${figure(readsPerS * 3_600)} times an hour, ${figure(pullsPerS * 3_600)} of which would pull them: ` +
    `${figure(deliveredUs)} us a second to deliver, ${figure(pulledUs)} to pull`
  )
}

const readers = {
  WATCHER: 'watched: told of every post at once',
  DORMANT: 'dormant: not seen for long, so nothing is put into the inbox',
  HEAVY: 'heavy: follows so many that pages may walk the window',
  REGULAR: 'regular',
} as const

function figure(number: number): string {
  return number.toLocaleString('en-US', { maximumSignificantDigits: 3 })
}

const sources = {
  window: 'the window (newest posts, in memory)',
  inbox: "the reader's inbox",
  pulled: "the author's stored posts, as the inbox does not cover it",
} as const
