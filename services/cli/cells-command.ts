// cells: their health and lag; adding, draining and removing one.

import { type Command, InvalidArgumentError } from 'commander'
import type { CellStatus } from '../client/admin-calls.ts'
import type { Cellfeed } from '../client/connect.ts'
import { awaitCell, loadingText } from './await-cell.ts'
import { type AdminFlags, adminFlags, dryRunFlag, examples, withServer } from './client-command.ts'
import { exitCodes, usageFailure } from './exit.ts'
import { duration } from './human-time.ts'
import { balance } from './moves/rebalance-command.ts'
import { bytes, count, harmless, jsonLine, table } from './print.ts'
import type { Terminal } from './terminal.ts'

const ACTIONS = ['list', 'add', 'drain', 'remove'] as const
type Action = (typeof ACTIONS)[number]
const LOOK_MS = 2_000

export function addCellsCommand(program: Command, terminal: Terminal): void {
  const cells = dryRunFlag(
    adminFlags(
      program
        .command('cells')
        .argument('[action]', `one of ${ACTIONS.join(', ')}`, parseAction, 'list')
        .argument('[cell]', 'the cell to add, to drain or to remove')
        .summary('List the cells, their health and lag; add, drain and remove some')
        .description(
          'List the cells, with their health and how far behind they are. A cell that is added owns nothing until ' +
            'slots are moved to it (cellfeed rebalance, cellfeed move); adding it waits until it serves, and may be ' +
            'interrupted: the cell goes on. A cell is drained by moving all its users to the others; one that owns ' +
            'something can not be removed.',
        )
        .option('--json', 'one JSON object a line'),
    ),
  ).action(async (action: Action, name: string | undefined, flags: AdminFlags) => {
    await withServer(terminal, flags, async (feed) => {
      if (action === 'list') return list(feed, flags, terminal)
      if (name === undefined) {
        throw usageFailure(`say which cell: cellfeed cells ${action} <cell>`)
      }
      if (action === 'drain') {
        const wish = { drained: [name], drainOnly: true }
        return balance(feed, wish, { flags, terminal })
      }
      return change(feed, { action, cell: name, flags }, terminal)
    })
  })
  examples(cells, [
    ['cellfeed cells', 'a table (exit code 1: one of them does not serve)'],
    ['cellfeed cells --json', 'everything that is known, for programs'],
    ['cellfeed cells add cell-3', ''],
    ['cellfeed cells drain cell-3 --dry-run', 'where its users would go'],
    ['cellfeed cells remove cell-3', ''],
  ])
}

async function list(feed: Cellfeed, flags: AdminFlags, terminal: Terminal): Promise<void> {
  const all = await feed.cells()
  if (flags.json) for (const cell of all) terminal.out(jsonLine(cell))
  else terminal.out(harmless(printCells(all)))
  if (all.some((cell) => cell.state !== 'SERVING')) terminal.endWith(exitCodes.no)
}

async function change(
  feed: Cellfeed,
  given: {
    readonly action: 'add' | 'remove'
    readonly cell: string
    readonly flags: AdminFlags
  },
  terminal: Terminal,
): Promise<void> {
  const { action, cell, flags } = given
  const dryRun = flags.dryRun === true
  const isDone =
    action === 'add'
      ? await feed.addCell(cell, { dryRun })
      : await feed.removeCell(cell, { dryRun })
  const log = action === 'add' && isDone && dryRun ? await readingOf(feed) : undefined
  if (flags.json) terminal.out(jsonLine({ cell, action, dryRun, changes: isDone, ...log }))
  else terminal.out(`${cell} ${outcome(action === 'add', isDone, dryRun)}`)
  if (action !== 'add') return
  if (!dryRun) await awaitCell(feed, cell, { terminal, isJson: flags.json === true })
  else if (isDone && !flags.json) terminal.out(readingText(log))
}

type Reading = { readonly publicEvents: bigint; readonly publicEventsRemoved: bigint }

/** What the firehose has for a cell that is added; undefined where the gateway does not answer. */
async function readingOf(feed: Cellfeed): Promise<Reading | undefined> {
  const positions = await feed.firehosePositions({ timeoutMs: LOOK_MS }).catch(() => undefined)
  if (positions === undefined) return undefined
  const { partitions } = positions
  const removed = partitions.reduce((sum, { earliestOffset }) => sum + earliestOffset, 0n)
  const end = partitions.reduce((sum, { latestOffset }) => sum + latestOffset, 0n)
  return { publicEvents: end - removed, publicEventsRemoved: removed }
}

function readingText(reading: Reading | undefined): string {
  if (reading === undefined)
    return 'How much it would read is not known: the gateway does not answer.'
  const { publicEvents, publicEventsRemoved } = reading
  return publicEventsRemoved === 0n
    ? `It would read the firehose from its beginning: ${count(publicEvents, 'public event')}, and what is private.`
    : `The firehose lacks its first ${count(publicEventsRemoved, 'public event')}: the cell would copy the posts of another ` +
        'one, as of its newest checkpoint, and read on from there. One that runs as a process of its own is started with --rebuild.'
}

function outcome(isAdded: boolean, isDone: boolean, dryRun: boolean): string {
  if (!isDone) return isAdded ? 'is there already' : 'is not there'
  if (!dryRun) return isAdded ? 'is added' : 'is removed'
  if (!isAdded) return 'would be removed: it owns nothing'
  return 'would be added: it takes in all posts, and has no users before "cellfeed rebalance"'
}

function printCells(cells: readonly CellStatus[]): string {
  const heading = ['cell', 'state', 'behind', 'slots', 'readers', 'watchers']
  const rows = cells.map((cell) => [
    cell.cell,
    cell.state.toLowerCase().replace('_', ' '),
    cell.lagEvents === 0n ? 'no' : `${count(cell.lagEvents, 'event')}, ${duration(cell.lagMs)}`,
    cell.slots.toLocaleString('en-US'),
    cell.readers.toLocaleString('en-US'),
    cell.watchers.toLocaleString('en-US'),
    count(cell.windowPosts, 'post'),
    bytes(cell.windowBytes + cell.readersBytes + cell.bodiesBytes),
    detailOf(cell),
  ])
  return table([[...heading, 'window', 'memory', ''], ...rows])
}

function detailOf({ stateDetail, loading }: CellStatus): string {
  return [stateDetail, loading && loadingText(loading)].filter(Boolean).join('; ')
}

function parseAction(given: string): Action {
  const action = ACTIONS.find((each) => each === given)
  if (action === undefined) throw new InvalidArgumentError(`Give one of ${ACTIONS.join(', ')}.`)
  return action
}
