// explain, cells: what operators ask.

import { type Command, InvalidArgumentError } from 'commander'
import type { CellStatus, Explanation } from '../client/admin-calls.ts'
import type { Cellfeed } from '../client/connect.ts'
import { type AddressFlags, adminFlags, examples, withServer } from './client-command.ts'
import { exitCodes } from './exit.ts'
import { duration } from './human-time.ts'
import { parsePostName } from './post-name.ts'
import { bytes, count, harmless, jsonLine, table } from './print.ts'
import type { Terminal } from './terminal.ts'

interface OperatorFlags extends AddressFlags {
  readonly adminAddress?: string
  readonly json?: boolean
}

export function addOperatorCommands(program: Command, terminal: Terminal): void {
  const explain = adminFlags(
    program
      .command('explain <user> <post>')
      .summary('Say why a post is, or is not, on a dashboard')
      .description("Say why a post is, or is not, on a user's dashboard (exit code 1: it is not)")
      .option('--json', 'print JSON'),
  ).action(async (user: string, post: string, flags: OperatorFlags) => {
    const name = parsePostName(post)
    await withServer(terminal, flags, async (feed) => {
      const answer = await feed.explain(user, name)
      terminal.out(flags.json ? jsonLine(answer) : harmless(printExplanation(answer)))
      if (!answer.onDashboard) terminal.endWith(exitCodes.no)
    })
  })
  examples(explain, [['cellfeed explain alice bob/345678901234567890', '']])

  const cells = adminFlags(
    program
      .command('cells')
      .argument('[action]', 'one of list, add, remove', parseAction, 'list')
      .argument('[cell]', 'the cell to add or to remove')
      .summary('List the cells, their health and lag; add and remove some')
      .description(
        'List the cells, with their health and how far behind they are. A cell that is added owns nothing until ' +
          'slots are moved to it (cellfeed move); one that owns something can not be removed.',
      )
      .option('--json', 'one JSON object a line'),
  ).action(async (action: CellsAction, name: string | undefined, flags: OperatorFlags) => {
    await withServer(terminal, flags, async (feed) => {
      if (action !== 'list') return changeCells(feed, { action, cell: name }, terminal)
      const all = await feed.cells()
      if (flags.json) for (const cell of all) terminal.out(jsonLine(cell))
      else terminal.out(harmless(printCells(all)))
      if (all.some((cell) => cell.state !== 'SERVING')) terminal.endWith(exitCodes.no)
    })
  })
  examples(cells, [
    ['cellfeed cells', 'a table (exit code 1: one of them does not serve)'],
    ['cellfeed cells --json', 'everything that is known, for programs'],
    ['cellfeed cells add cell-3', ''],
    ['cellfeed cells remove cell-3', ''],
  ])
}

const CELLS_ACTIONS = ['list', 'add', 'remove'] as const
type CellsAction = (typeof CELLS_ACTIONS)[number]

function parseAction(given: string): CellsAction {
  const action = CELLS_ACTIONS.find((each) => each === given)
  if (action === undefined) throw new InvalidArgumentError('Give one of list, add, remove.')
  return action
}

async function changeCells(
  feed: Cellfeed,
  { action, cell }: { readonly action: 'add' | 'remove'; readonly cell: string | undefined },
  terminal: Terminal,
): Promise<void> {
  if (cell === undefined) {
    terminal.note(`cellfeed: say which cell: cellfeed cells ${action} <cell>`)
    terminal.endWith(exitCodes.usage)
    return
  }
  const isDone = action === 'add' ? await feed.addCell(cell) : await feed.removeCell(cell)
  const was = action === 'add' ? 'was there already' : 'was not there'
  terminal.out(`${cell} ${isDone ? (action === 'add' ? 'is added' : 'is removed') : was}`)
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
  ].join('\n')
}

const sources = {
  window: 'the window (newest posts, in memory)',
  inbox: "the reader's inbox",
  pulled: "the author's stored posts, as the inbox does not cover it",
} as const

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
    cell.stateDetail,
  ])
  return table([[...heading, 'window', 'memory', ''], ...rows])
}
