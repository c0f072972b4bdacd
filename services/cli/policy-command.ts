// policy: what the cells deliver and what they pull, and what that costs.

import type { Command } from 'commander'
import type { CellPolicy } from '../client/admin-calls.ts'
import { type AdminFlags, adminFlags, examples, withServer } from './client-command.ts'
import { duration } from './human-time.ts'
import { bytes, count, harmless, jsonLine, table } from './print.ts'
import type { Terminal } from './terminal.ts'

export function addPolicyCommand(program: Command, terminal: Terminal): void {
  const policy = adminFlags(
    program
      .command('policy')
      .summary('Show what is delivered and what is pulled')
      .description(
        'Show whose posts each cell puts into inboxes and whose it reads when somebody looks, and what that costs ' +
          'beside delivering or pulling everything. Cells decide before each generation',
      )
      .option('--json', 'print JSON'),
  ).action(async (flags: AdminFlags) => {
    await withServer(terminal, flags, async (feed) => {
      const cells = await feed.policy()
      terminal.out(flags.json ? jsonLine(cells) : harmless(printPolicy(cells)))
    })
  })
  examples(policy, [['cellfeed policy', '']])
}

function printPolicy(cells: readonly CellPolicy[]): string {
  if (cells.length === 0) return 'no cell serves'
  return [
    table([CLASSES, ...cells.map(classesOf)]),
    '',
    'Weighed cost of a second, CPU and bytes kept:',
    table([WAYS, ...cells.map(waysOf)]),
    '',
    'Readers in memory, and pages since the start by how far down they came:',
    table([READS, ...cells.map(readsOf)]),
    '',
    'What each thing costs, as measured or set:',
    table([COSTS, ...cells.map(costsOf)]),
  ].join('\n')
}

const CLASSES = ['cell', 'delivered', 'pulled', 'left out', 'changed', 'decided']

function classesOf(cell: CellPolicy): string[] {
  return [
    cell.cell,
    count(cell.authorsDelivered, 'author'),
    count(cell.authorsPulled, 'author'),
    count(cell.pairsLeftOut, 'pair'),
    cell.classChanges.toLocaleString('en-US'),
    cell.decidedAgeMs === undefined ? 'not yet' : `${duration(cell.decidedAgeMs)} ago`,
  ]
}

const WAYS = [
  'cell',
  'deliver all',
  'pull all',
  'as it is',
  'entries/s',
  'reads below the window/s',
]

function waysOf(cell: CellPolicy): string[] {
  return [
    cell.cell,
    micros(cell.deliverAllUs),
    micros(cell.pullAllUs),
    micros(cell.asDecidedUs),
    figure(cell.entriesPerS),
    figure(cell.readsBelowWindowPerS),
  ]
}

const READS = ['cell', 'readers', 'heavy', 'away', 'watchers', 'window', 'inbox', 'below it']

function readsOf(cell: CellPolicy): string[] {
  const { readers, readersHeavy, readersAway, watchers } = cell
  const { readsInWindow, readsInInbox, readsBelowInbox } = cell
  const counts = [readers, readersHeavy, readersAway, watchers]
  const reads = [readsInWindow, readsInInbox, readsBelowInbox]
  return [cell.cell, ...[...counts, ...reads].map((number) => number.toLocaleString('en-US'))]
}

const COSTS = [
  'cell',
  'chain',
  'entry walked',
  'follow asked',
  'entry delivered',
  'its bytes',
  'pull',
  'chunk',
  'inbox read',
]

function costsOf({ cell, costs }: CellPolicy): string[] {
  const { chainUs, walkedUs, edgeUs, entryUs, entryBytes, pullUs, chunkUs, inboxUs } = costs
  const times = [chainUs, walkedUs, edgeUs, entryUs].map(micros)
  return [cell, ...times, bytes(entryBytes), micros(pullUs), micros(chunkUs), micros(inboxUs)]
}

function micros(us: number): string {
  return us >= 1_000 ? `${figure(us / 1_000)} ms` : `${figure(us)} us`
}

function figure(number: number): string {
  return number.toLocaleString('en-US', { maximumSignificantDigits: 3 })
}
