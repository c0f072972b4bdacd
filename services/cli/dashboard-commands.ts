// dashboard, mark-read, unread.

import type { Command } from 'commander'
import type { Cellfeed } from '../client/connect.ts'
import type { DashboardChange } from '../client/dashboard-calls.ts'
import type { PostRef } from '../client/post.ts'
import {
  type AddressFlags,
  addressFlags,
  examples,
  parseCount,
  withServer,
} from './client-command.ts'
import { exitCodes, usageFailure } from './exit.ts'
import { parsePostId, postName } from './post-name.ts'
import { count, harmless, jsonLine, printPost } from './print.ts'
import type { Terminal } from './terminal.ts'

interface DashboardFlags extends AddressFlags {
  readonly limit: number
  readonly all?: boolean
  readonly watch?: boolean
  readonly json?: boolean
  readonly stale?: boolean
}

const pageMax = 200

export function addDashboardCommands(program: Command, terminal: Terminal): void {
  const dashboard = addressFlags(
    program
      .command('dashboard <user>')
      .summary('Show the newest posts of those whom a user follows')
      .description('Show the newest posts of everyone whom a user follows')
      .option('--limit <posts>', 'at most so many', parseCount, 20)
      .option('--all', 'to the very end')
      .option('--watch', 'then show what changes, until Ctrl-C')
      .option('--json', 'one JSON object a line')
      .option('--stale', 'show what is there, without waiting for what was written last'),
  ).action(async (user: string, flags: DashboardFlags) => {
    if (flags.all && flags.watch) {
      throw usageFailure('--all ends at the oldest post and --watch goes on: give one of them')
    }
    await withServer(terminal, flags, async (feed) => {
      if (!flags.stale) await feed.seeEverything()
      if (flags.watch) await watch(feed, user, flags, terminal)
      else await show(feed, user, flags, terminal)
    })
  })
  examples(dashboard, [
    ['cellfeed dashboard alice', 'the newest 20 posts'],
    ['cellfeed dashboard alice --watch', 'and those that come'],
    ['cellfeed dashboard alice --all --json | wc -l', 'how many posts there are in all'],
  ])

  const markRead = addressFlags(
    program
      .command('mark-read <user> [post]')
      .summary('Mark posts as read')
      .description('Mark everything up to a post as read; without a post, all that is there'),
  ).action(async (user: string, post: string | undefined, flags: AddressFlags) => {
    const given = post === undefined ? undefined : parsePostId(post)
    await withServer(terminal, flags, async (feed) => {
      await feed.seeEverything()
      const postId = given ?? (await feed.dashboard(user, { limit: 1 })).posts[0]?.postId
      if (postId === undefined) {
        terminal.out(harmless(`${user} has nothing to read`))
        return
      }
      await feed.markRead(user, postId)
      terminal.out(harmless(`${user} has read everything up to ${postId}`))
    })
  })
  examples(markRead, [
    ['cellfeed mark-read alice', 'everything'],
    ['cellfeed mark-read alice bob/345678901234567890', 'everything up to this post'],
  ])

  const unread = addressFlags(
    program
      .command('unread <user>')
      .description('Count the posts above the read mark')
      .option('--json', 'print JSON'),
  ).action(async (user: string, flags: AddressFlags & { json?: boolean }) => {
    await withServer(terminal, flags, async (feed) => {
      await feed.seeEverything()
      const answer = await feed.unread(user)
      const number = `${answer.capped ? 'more than ' : ''}${count(answer.count, 'unread post')}`
      terminal.out(flags.json ? jsonLine(answer) : harmless(`${user} has ${number}`))
    })
  })
  examples(unread, [['cellfeed unread alice', '']])
}

async function show(
  feed: Cellfeed,
  user: string,
  flags: DashboardFlags,
  terminal: Terminal,
): Promise<void> {
  let left = flags.all ? Number.POSITIVE_INFINITY : flags.limit
  const options = { limit: Math.min(left, pageMax), countUnread: !flags.all && !flags.json }
  for await (const page of feed.dashboardPages(user, options)) {
    for (const post of page.posts.slice(0, left)) {
      terminal.out(flags.json ? jsonLine(post) : printPost(post, terminal.nowMs()))
    }
    const isMore = page.olderPageToken !== undefined || page.posts.length > left
    left -= page.posts.length
    if (left > 0 && isMore) continue
    if (!flags.json) terminal.note(harmless(footer(user, page, { isMore, isAll: !!flags.all })))
    return
  }
}

function footer(
  user: string,
  page: { posts: readonly unknown[]; unread: { count: number; capped: boolean } | undefined },
  { isMore, isAll }: { isMore: boolean; isAll: boolean },
): string {
  if (isAll && !isMore) return `That was all of ${user}'s dashboard.`
  const unread = page.unread
  const news = unread
    ? `${unread.capped ? 'more than ' : ''}${count(unread.count, 'unread post')}`
    : 'more posts'
  if (isMore) return `${news}; everything: cellfeed dashboard ${user} --all`
  if (page.posts.length === 0) return `${user}'s dashboard is empty: cellfeed follow ${user} AUTHOR`
  return `That was all of ${user}'s dashboard; ${news}.`
}

async function watch(
  feed: Cellfeed,
  user: string,
  flags: DashboardFlags,
  terminal: Terminal,
): Promise<void> {
  const print = (change: DashboardChange | { kind: 'listed'; post: Printable }) => {
    const line = flags.json ? jsonLine(change) : describe(change, terminal.nowMs())
    if (line !== '') terminal.out(line)
  }
  const shown = new Set<string>()
  const page = await feed.dashboard(user, { limit: Math.min(flags.limit, pageMax) })
  // Oldest first, so that what comes goes on below.
  for (const post of [...page.posts].reverse()) {
    shown.add(postName(post))
    print({ kind: 'listed', post })
  }
  const oldest = page.olderPageToken === undefined ? undefined : page.posts.at(-1)
  const isBelow = oldest && ((post: PostRef) => BigInt(post.postId) < BigInt(oldest.postId))
  if (!flags.json) terminal.note('Watching; Ctrl-C ends it.')
  try {
    for await (const change of feed.watch(user, { newerPageToken: page.newerPageToken })) {
      // The watch reaches back a little: what was listed comes again, and maybe what stands below it.
      if (change.kind === 'added') {
        const name = postName(change.post)
        if (shown.has(name) || (isBelow !== undefined && isBelow(change.post))) continue
        remember(shown, name)
      }
      print(change)
    }
  } catch (thrown) {
    if (!terminal.interrupted.aborted) throw thrown
    terminal.endWith(exitCodes.ok)
  }
}

type Printable = Parameters<typeof printPost>[0]

/** The newest thousand: the watch reaches back minutes, not hours. */
function remember(shown: Set<string>, name: string): void {
  shown.add(name)
  const oldest = shown.values().next()
  if (shown.size > 1000 && !oldest.done) shown.delete(oldest.value)
}

function describe(
  change: DashboardChange | { kind: 'listed'; post: Printable },
  nowMs: number,
): string {
  switch (change.kind) {
    case 'listed':
    case 'added':
      return printPost(change.post, nowMs)
    case 'edited':
      return `edited: ${printPost(change.post, nowMs)}`
    case 'removed':
      return harmless(`removed: ${postName(change)}\n`)
    case 'readMarkMoved':
      return `read up to ${change.readMark}\n`
    case 'reset': {
      const author = change.authorId === undefined ? '' : ` (${change.authorId})`
      return harmless(`${resets[change.reason]}${author}: list the dashboard again to see it all\n`)
    }
    case 'heartbeat':
      return ''
  }
}

const resets = {
  followsChanged: 'many posts came or went, as a relation changed',
  fellBehind: 'some changes were left out, as there were too many',
  moved: 'the dashboard moved; some changes may have been left out',
  reconnected: 'the connection broke and is back; removals and edits may have been missed',
  other: 'the dashboard changed as a whole',
} as const
