// move, moves: slots on their way from one cell to another, as operators start, watch and change them.

import { type Command, InvalidArgumentError } from 'commander'
import type { MoveChangeName, SlotRun } from '../../client/move-calls.ts'
import type { Cellfeed } from '../../client/connect.ts'
import { type AdminFlags, adminFlags, dryRunFlag, examples, withServer } from '../client-command.ts'
import { exitCodes, usageFailure } from '../exit.ts'
import { bytes, count, harmless, jsonLine } from '../print.ts'
import type { Terminal } from '../terminal.ts'
import { summaryOf, tableOf } from './print-moves.ts'
import { watchMoves } from './watch-moves.ts'

const CHANGES: Readonly<Record<string, MoveChangeName>> = {
  pause: 'pause',
  resume: 'resume',
  abort: 'abort',
  rollback: 'roll-back',
  retire: 'retire',
  verify: 'verify',
}
const ACTIONS = ['list', 'watch', ...Object.keys(CHANGES)]

export function addMoveCommands(program: Command, terminal: Terminal): void {
  const move = dryRunFlag(
    adminFlags(
      program
        .command('move')
        .argument('<slots>', 'for example 0-99,120', parseSlots)
        .argument('<cell>', 'the cell that is to own them')
        .summary('Move slots, with their users, to another cell')
        .description(
          'Move slots, with their users, to another cell, while they read. The slots must all belong to one ' +
            'cell. It goes on by itself: see "cellfeed moves watch".',
        )
        .option('--json', 'print JSON'),
    ),
  ).action(async (slots: readonly SlotRun[], to: string, flags: AdminFlags) => {
    await withServer(terminal, flags, async (feed) => {
      const dryRun = flags.dryRun === true
      const planned = await feed.moveSlots(slots, to, { dryRun })
      if (flags.json) {
        terminal.out(jsonLine(planned))
        return
      }
      const { readers } = planned
      const who = `${count(readers, 'user')}, ${bytes(planned.bytes)} in memory`
      const begun = dryRun ? 'would move' : `move ${planned.id}:`
      terminal.out(`${begun} ${summaryOf(planned)}: ${who}`)
    })
  })
  examples(move, [
    ['cellfeed move 0-99 cell-2 --dry-run', 'what would happen'],
    ['cellfeed move 0-99 cell-2', 'begin'],
  ])

  addPinCommand(program, terminal)
  const moves = dryRunFlag(
    adminFlags(
      program
        .command('moves')
        .argument('[action]', `one of ${ACTIONS.join(', ')}`, parseAction, 'list')
        .argument('[id]', 'of the move, as the list shows it', parseId)
        .summary('List, watch, pause, abort or take back moves')
        .description(
          'Slots that are on their way from one cell to another, and standbys. Before its cutover a move can be ' +
            'paused, resumed, aborted, and verified again after it differed. After it, while the source keeps ' +
            'the slots (a minute), it can be rolled back; or retired, when nobody wants to go back.',
        )
        .option('--json', 'one JSON object a line'),
    ),
  ).action(async (action: string, id: number | undefined, flags: AdminFlags) => {
    await withServer(terminal, flags, (feed) => act(feed, { action, id, flags }, terminal))
  })
  examples(moves, [
    ['cellfeed moves', 'a table (exit code 1: one of them differs)'],
    ['cellfeed moves watch', 'each change, until no move is under way'],
    ['cellfeed moves pause 1732670000000', ''],
    ['cellfeed moves rollback 1732670000000 --dry-run', 'what would happen'],
  ])
}

function addPinCommand(program: Command, terminal: Terminal): void {
  const pin = dryRunFlag(
    adminFlags(
      program
        .command('pin <user> <cell>')
        .summary('Give a user a slot of their own, in a cell')
        .description(
          'Give a user a slot of their own, in a cell, where no plan for balance moves it. The user comes there by a move ' +
            'of the slot where they live, with everybody in it; "cellfeed rebalance" deals the others again.',
        )
        .option('--json', 'print JSON'),
    ),
  ).action(async (user: string, cell: string, flags: AdminFlags) => {
    await withServer(terminal, flags, async (feed) => {
      const dryRun = flags.dryRun === true
      const move = await feed.pinUser(user, cell, { dryRun })
      if (flags.json) terminal.out(jsonLine({ user, cell, move }))
      else if (move === undefined) terminal.out(harmless(`${user} is pinned to ${cell} already`))
      else {
        const begun = dryRun ? 'would move' : `move ${move.id}:`
        terminal.out(`${begun} ${summaryOf(move)}: ${count(move.readers, 'user')}`)
      }
    })
  })
  examples(pin, [
    ['cellfeed pin alice cell-2 --dry-run', 'what would move'],
    ['cellfeed pin alice cell-2', 'see "cellfeed moves watch"'],
  ])
}

async function act(
  feed: Cellfeed,
  given: { action: string; id: number | undefined; flags: AdminFlags },
  terminal: Terminal,
): Promise<void> {
  const { action, id, flags } = given
  const change = CHANGES[action]
  if (action === 'watch') {
    const moves = await feed.moves()
    if (moves.length === 0 && !flags.json) terminal.out('no move is under way')
    return watchMoves(feed, flags, terminal)
  }
  if (change === undefined) return list(feed, flags, terminal)
  if (id === undefined) {
    throw usageFailure(`say which move: cellfeed moves ${action} <id>; see cellfeed moves`)
  }
  const dryRun = flags.dryRun === true
  const what = await feed.changeMove(id, change, { dryRun })
  if (flags.json) terminal.out(jsonLine({ id, change, dryRun, what }))
  else terminal.out(harmless(`${dryRun ? 'would change: ' : ''}${what}`))
}

async function list(feed: Cellfeed, flags: AdminFlags, terminal: Terminal): Promise<void> {
  const all = await feed.moves()
  if (flags.json) for (const move of all) terminal.out(jsonLine(move))
  else terminal.out(all.length === 0 ? 'no move is under way' : harmless(tableOf(all)))
  if (all.some(({ phase }) => phase === 'DIFFERS')) terminal.endWith(exitCodes.no)
}

function parseSlots(given: string): readonly SlotRun[] {
  return given.split(',').map((part) => {
    const match = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(part.trim())
    if (match === null) throw new InvalidArgumentError('Give slots like 0-99,120.')
    const first = Number(match[1])
    const last = Number(match[2] ?? match[1])
    if (last < first) throw new InvalidArgumentError(`Slot ${last} is below ${first}.`)
    return { first, last }
  })
}

function parseAction(given: string): string {
  if (!ACTIONS.includes(given)) throw new InvalidArgumentError(`Give one of ${ACTIONS.join(', ')}.`)
  return given
}

function parseId(given: string): number {
  const id = Number(given)
  if (!/^\d+$/.test(given) || !Number.isSafeInteger(id)) {
    throw new InvalidArgumentError('Give the number of a move, as "cellfeed moves" shows it.')
  }
  return id
}
