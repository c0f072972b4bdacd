// changes: who changed cells, moves and standbys, when and how.

import type { Command } from 'commander'
import { type AdminFlags, adminFlags, examples, parseCount, withServer } from './client-command.ts'
import { dateAndTime } from './human-time.ts'
import { harmless, jsonLine, table } from './print.ts'
import type { Terminal } from './terminal.ts'

const LIMIT = 20

export function addChangesCommand(program: Command, terminal: Terminal): void {
  const changes = adminFlags(
    program
      .command('changes')
      .summary('Say who changed cells, moves and standbys, and when')
      .description('Who changed cells, moves, standbys and pins, when and how. Newest first.')
      .option('--limit <number>', 'how many, 1,000 at most', parseCount, LIMIT)
      .option('--json', 'one JSON object a line'),
  ).action(async (flags: AdminFlags & { readonly limit: number }) => {
    await withServer(terminal, flags, async (feed) => {
      const all = await feed.changes(flags.limit)
      if (flags.json) {
        for (const change of all) terminal.out(jsonLine(change))
        return
      }
      if (all.length === 0) {
        terminal.out('nothing was changed yet')
        return
      }
      const rows = all.map(({ at, by, what }) => [
        at === undefined ? '' : dateAndTime(at),
        by,
        what,
      ])
      terminal.out(harmless(table([['when', 'who', 'what'], ...rows])))
    })
  })
  examples(changes, [
    ['cellfeed changes', 'the newest 20'],
    ['cellfeed changes --limit 1000 --json', 'for programs'],
  ])
}
