// follow, unfollow, block, unblock, mute, unmute, following, followers.

import type { Command } from 'commander'
import type { Cellfeed } from '../client/connect.ts'
import {
  type AddressFlags,
  addressFlags,
  examples,
  parseCount,
  withServer,
} from './client-command.ts'
import { harmless, jsonLine } from './print.ts'
import type { Terminal } from './terminal.ts'

interface Change {
  readonly name: 'unfollow' | 'block' | 'unblock' | 'mute' | 'unmute'
  readonly does: string
  readonly other: string
  readonly done: (user: string, other: string) => string
  readonly example: string
}

const changes: readonly Change[] = [
  {
    name: 'unfollow',
    does: 'End a follow',
    other: 'author',
    done: (user, author) => `${user} does not follow ${author}`,
    example: "bob's posts leave alice's dashboard",
  },
  {
    name: 'block',
    does: 'Hide two users from each other; their follows end',
    other: 'target',
    done: (user, target) => `${user} blocks ${target}: neither sees the other's posts`,
    example: 'neither sees the other any more',
  },
  {
    name: 'unblock',
    does: 'End a block (follows do not come back)',
    other: 'target',
    done: (user, target) => `${user} does not block ${target}`,
    example: 'they may follow each other again',
  },
  {
    name: 'mute',
    does: "Hide a user's posts; follows stay",
    other: 'target',
    done: (user, target) => `${user} mutes ${target}`,
    example: 'alice sees nothing of bob, who does not learn of it',
  },
  {
    name: 'unmute',
    does: 'End a mute',
    other: 'target',
    done: (user, target) => `${user} does not mute ${target}`,
    example: "bob's posts are back on alice's dashboard, old ones too",
  },
]

interface ListFlags extends AddressFlags {
  readonly limit?: number
  readonly json?: boolean
}

export function addGraphCommands(program: Command, terminal: Terminal): void {
  const follow = addressFlags(
    program
      .command('follow <user> <author>')
      .summary('Follow an author')
      .description("Follow an author: all their posts are on the user's dashboard")
      .option('--hide-reblogs', "leave this author's reblogs out"),
  ).action(
    async (user: string, author: string, flags: AddressFlags & { hideReblogs?: boolean }) => {
      await withServer(terminal, flags, async (feed) => {
        await feed.follow(user, author, { hideReblogs: flags.hideReblogs ?? false })
        terminal.out(harmless(`${user} follows ${author}`))
      })
    },
  )
  examples(follow, [
    ['cellfeed follow alice bob', "bob's posts, also old ones, are on alice's dashboard"],
    ['cellfeed follow alice bob --hide-reblogs', 'the same without what bob reblogs'],
  ])

  for (const change of changes) {
    const command = addressFlags(
      program.command(`${change.name} <user> <${change.other}>`).description(change.does),
    ).action(async (user: string, other: string, flags: AddressFlags) => {
      await withServer(terminal, flags, async (feed) => {
        await feed[change.name](user, other)
        terminal.out(harmless(change.done(user, other)))
      })
    })
    examples(command, [[`cellfeed ${change.name} alice bob`, change.example]])
  }

  addList(program, terminal, {
    name: 'following',
    does: 'List whom a user follows',
    list: async function* (feed, user, page) {
      const { authors, nextPageToken } = await feed.following(user, page)
      yield* authors.map((author) => ({
        line: `${author.authorId}${author.hideReblogs ? '  (without reblogs)' : ''}`,
        json: author,
      }))
      return nextPageToken
    },
  })
  addList(program, terminal, {
    name: 'followers',
    does: 'List who follows a user',
    list: async function* (feed, user, page) {
      const { followerIds, nextPageToken } = await feed.followers(user, page)
      yield* followerIds.map((userId) => ({ line: userId, json: { userId } }))
      return nextPageToken
    },
  })
}

interface Listing {
  readonly name: string
  readonly does: string
  /** The entries of one page; returns the next one's token. */
  readonly list: (
    feed: Cellfeed,
    user: string,
    page: { limit: number; pageToken: string | undefined },
  ) => AsyncGenerator<{ line: string; json: unknown }, string | undefined, void>
}

function addList(program: Command, terminal: Terminal, listing: Listing): void {
  const command = addressFlags(
    program
      .command(`${listing.name} <user>`)
      .summary(listing.does)
      .description(`${listing.does}, in an order of no meaning`)
      .option('--limit <users>', 'at most so many (all)', parseCount)
      .option('--json', 'one JSON object a line'),
  ).action(async (user: string, flags: ListFlags) => {
    await withServer(terminal, flags, async (feed) => {
      await feed.seeEverything()
      let left = flags.limit ?? Number.POSITIVE_INFINITY
      let pageToken: string | undefined
      do {
        const entries = listing.list(feed, user, { limit: Math.min(left, 200), pageToken })
        let next = await entries.next()
        for (; !next.done; next = await entries.next()) {
          terminal.out(flags.json ? jsonLine(next.value.json) : harmless(next.value.line))
          left -= 1
        }
        pageToken = next.value
      } while (pageToken !== undefined && left > 0)
    })
  })
  examples(command, [
    [`cellfeed ${listing.name} alice`, 'all of them, one a line'],
    [`cellfeed ${listing.name} alice --limit 10 --json`, 'ten of them, for programs'],
  ])
}
