// import: a graph or a product's history, from a file. What does it is loaded only when asked for.

import { type Command, Option } from 'commander'
import { addressFlags, examples } from './client-command.ts'
import type { ImportFlags } from './import/run-import.ts'
import type { Terminal } from './terminal.ts'

export function addImportCommand(program: Command, terminal: Terminal): void {
  const command = addressFlags(
    program
      .command('import <file>')
      .summary('Import a graph, or a history of posts, relations and read marks')
      .description(
        'Import follows from an edge list ("a b" a line: a follows b), or posts, relations and read ' +
          'marks from NDJSON; plain or .gz; "-" is standard input. Interrupted, the same command ' +
          'goes on. Exit code 1: some lines were bad; the first one is shown.',
      )
      .addOption(new Option('--format <format>', 'how to read lines').choices(['edges', 'ndjson']))
      .option('--mutual', 'edges go both ways: b follows a, too')
      .option('--as-of <time>', 'when the data was taken: what users changed since wins (now)')
      .option('--state <file>', 'where to keep how far it got (FILE.import-state)')
      .option('--no-state', 'do not keep it'),
    120,
  ).action(async (file: string, flags: ImportFlags) => {
    const { runImport } = await import('./import/run-import.ts')
    await runImport(file, flags, terminal)
  })
  examples(command, [
    ['cellfeed import friends.txt.gz --mutual', 'a graph of friends'],
    ['cellfeed import history.ndjson --as-of 2026-03-01T00:00:00Z', 'a snapshot of that time'],
    ['zcat dump.gz | cellfeed import -', 'from another program'],
  ])
  command.addHelpText(
    'after',
    `
NDJSON has one record a line:
  {"post": {"authorId": "bob", "externalId": "p-1", "createdAt": "2026-03-01T14:05:00Z", "text": "hello"}}
  {"follow": {"userId": "alice", "authorId": "bob"}}
  {"block": {"userId": "alice", "targetId": "eve"}}
  {"mute": {"userId": "alice", "targetId": "dave"}}
  {"readMark": {"userId": "alice", "readUntil": "2026-03-01T14:05:00Z"}}`,
  )
}
