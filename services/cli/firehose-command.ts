// firehose: everything public that happens, from any place in the log on.

import type { Command } from 'commander'
import type { FirehoseEvent, FirehoseStart } from '../client/firehose-calls.ts'
import {
  type AddressFlags,
  addressFlags,
  examples,
  parseCount,
  withServer,
} from './client-command.ts'
import { exitCodes, usageFailure } from './exit.ts'
import { dateAndTime, parseTime } from './human-time.ts'
import { postName } from './post-name.ts'
import { harmless, jsonLine } from './print.ts'
import type { Terminal } from './terminal.ts'

interface FirehoseFlags extends AddressFlags {
  readonly from: string
  readonly limit?: number
  readonly json?: boolean
}

export function addFirehoseCommand(program: Command, terminal: Terminal): void {
  const firehose = addressFlags(
    program
      .command('firehose')
      .description('Print everything public that happens, until Ctrl-C')
      .option(
        '--from <place>',
        'earliest, latest, a time (2026-03-01T14:05:00Z), a time ago (15m, 2h, 3d), offsets\n' +
          '(0:17,3:42: partition:offset), or a position that this command printed',
        'latest',
      )
      .option('--limit <events>', 'stop after so many', parseCount)
      .option('--json', 'one JSON object a line'),
  ).action(async (flags: FirehoseFlags) => {
    const from = parseStart(flags.from, terminal.nowMs())
    await withServer(terminal, flags, async (feed) => {
      let left = flags.limit ?? Number.POSITIVE_INFINITY
      let position: string | undefined
      try {
        for await (const batch of feed.firehose({ from })) {
          for (const event of batch.events.slice(0, left)) {
            terminal.out(flags.json ? jsonLine(event) : harmless(describeEvent(event)))
          }
          // A batch that was cut is printed again by who goes on: from before it.
          if (batch.events.length <= left) position = batch.position
          left -= batch.events.length
          if (left <= 0) break
        }
      } catch (thrown) {
        if (!terminal.interrupted.aborted) throw thrown
        terminal.endWith(exitCodes.ok)
      }
      if (position !== undefined) terminal.note(`To go on: cellfeed firehose --from ${position}`)
    })
  })
  examples(firehose, [
    ['cellfeed firehose', 'what happens from now on'],
    ['cellfeed firehose --from earliest --limit 10', 'the oldest ten events still there'],
    ['cellfeed firehose --from 15m --json | jq .kind', 'the last quarter of an hour'],
    ['cellfeed firehose --from 3:120', 'partition 3 from offset 120, the others from now on'],
  ])
}

export function parseStart(given: string, nowMs: number): FirehoseStart {
  if (given === 'earliest' || given === 'latest') return given
  const time = parseTime(given, nowMs)
  if (time !== undefined) return time
  if (/^\d+:\d+(,\d+:\d+)*$/.test(given)) {
    const offsets = given.split(',').map((place) => {
      const [partition, offset] = place.split(':')
      return { partition: Number(partition), offset: BigInt(offset ?? 0) }
    })
    return { offsets }
  }
  if (/^[\w-]{8,}$/.test(given)) return { position: given }
  throw usageFailure(
    `--from "${given}" is no place in the firehose: give earliest, latest, a time, 15m, 0:17 or a position`,
  )
}

/** One line: when, where, what. */
export function describeEvent(event: FirehoseEvent): string {
  const where = `${event.partition}:${event.offset}`.padEnd(9)
  return `${dateAndTime(event.appendedAt)}  ${where} ${whatHappened(event)}`
}

function whatHappened(event: FirehoseEvent): string {
  switch (event.kind) {
    case 'postCreated': {
      const did = event.post.reblogOf
        ? `reblogged ${postName(event.post.reblogOf)} as`
        : 'published'
      const imported = event.imported ? ' (imported)' : ''
      return `${event.post.authorId} ${did} ${postName(event.post)}${imported}: ${shortened(event.post.text)}`
    }
    case 'postEdited':
      return `${event.post.authorId} edited ${postName(event.post)}: ${shortened(event.content.text)}`
    case 'postDeleted':
      return `${event.post.authorId} deleted ${postName(event.post)}`
    case 'postLiked':
      return `${event.userId} likes ${postName(event.post)}`
    case 'postUnliked':
      return `${event.userId} no longer likes ${postName(event.post)}`
    case 'followed':
      return `${event.userId} follows ${event.authorId}${event.asOf ? ' (imported)' : ''}`
    case 'unfollowed':
      return `${event.userId} no longer follows ${event.authorId}`
    case 'userDeleted':
      return `${event.userId} is deleted`
  }
}

function shortened(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ')
  return line.length > 80 ? `${line.slice(0, 79)}…` : line
}
