// reconcile: puts the relations of a cell right that missed some, or measures how far they are off.

import { type Command, Option } from 'commander'
import { adminFlags, examples } from './client-command.ts'
import type { ReconcileFlags } from './reconcile/run-reconcile.ts'
import type { Terminal } from './terminal.ts'

export function addReconcileCommand(program: Command, terminal: Terminal): void {
  const command = adminFlags(
    program
      .command('reconcile <file>')
      .summary("Put relations right by a product's own data")
      .description(
        'Compare the relations of users, as the product holds them, with what the cells hold, and ' +
          'write the difference. A list that is left out is not looked at. With --complete, cells ' +
          'that were rebuilt and missed relations serve again.',
      )
      .option('--as-of <time>', 'when the data was taken: what users changed since wins')
      .addOption(new Option('--format <format>', 'how to read lines').choices(['edges', 'ndjson']))
      .option('--dry-run', 'only count what differs')
      .option('--complete', 'the file holds every user, with follows, blocks and mutes'),
  ).action(async (file: string, flags: ReconcileFlags) => {
    const { runReconcile } = await import('./reconcile/run-reconcile.ts')
    await runReconcile(file, flags, terminal)
  })
  examples(command, [
    ['cellfeed reconcile users.ndjson --as-of 2h --dry-run', 'how far are the cells off'],
    ['cellfeed reconcile users.ndjson --as-of 2h --complete', 'put right, and close open gaps'],
  ])
  command.addHelpText(
    'after',
    `
NDJSON has one user a line:
  {"user": "alice", "follows": ["bob", {"id": "carol", "hideReblogs": true}], "blocks": ["eve"], "mutes": []}
  {"user": "bob", "follows": [], "blocks": [], "mutes": [], "readUntil": "2026-03-01T14:05:00Z"}
In an edge list ("a b" a line: a follows b) the lines of one user stand together.`,
  )
}
