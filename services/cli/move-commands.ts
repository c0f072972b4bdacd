// move, moves: slots on their way from one cell to another, as operators start, watch and change them.

import { setTimeout } from 'node:timers/promises'
import { type Command, InvalidArgumentError } from 'commander'
import type { Move, SlotRun } from '../client/move-calls.ts'
import type { Cellfeed } from '../client/connect.ts'
import { type AddressFlags, adminFlags, examples, withServer } from './client-command.ts'
import { exitCodes } from './exit.ts'
import { count, harmless, jsonLine, table } from './print.ts'
import type { Terminal } from './terminal.ts'

interface MoveFlags extends AddressFlags {
  readonly adminAddress?: string
  readonly json?: boolean
  readonly dryRun?: boolean
}

const WATCH_MS = 250
const ACTIONS = ['list', 'watch', 'abort', 'rollback', 'verify'] as const
type Action = (typeof ACTIONS)[number]

export function addMoveCommands(program: Command, terminal: Terminal): void {
  const move = adminFlags(
    program
      .command('move')
      .argument('<slots>', 'for example 0-99,120', parseSlots)
      .argument('<cell>', 'the cell that is to own them')
      .summary('Move slots, with their users, to another cell')
      .description(
        'Move slots, with their users, to another cell, while they read. The slots must all belong to one ' +
          'cell. It goes on by itself: see "cellfeed moves watch".',
      )
      .option('--dry-run', 'only say what would happen')
      .option('--json', 'print JSON'),
  ).action(async (slots: readonly SlotRun[], to: string, flags: MoveFlags) => {
    await withServer(terminal, flags, async (feed) => {
      const dryRun = flags.dryRun === true
      const planned = await feed.moveSlots({ slots, to, dryRun })
      if (flags.json) terminal.out(jsonLine(planned))
      else terminal.out(`${dryRun ? 'would move' : `move ${planned.id}:`} ${summaryOf(planned)}`)
    })
  })
  examples(move, [
    ['cellfeed move 0-99 cell-2 --dry-run', 'what would happen'],
    ['cellfeed move 0-99 cell-2', 'begin'],
  ])

  const moves = adminFlags(
    program
      .command('moves')
      .argument('[action]', `one of ${ACTIONS.join(', ')}`, parseAction, 'list')
      .argument('[id]', 'of the move, as the list shows it', parseId)
      .summary('List, watch, abort or take back moves')
      .description(
        'Slots that are on their way from one cell to another. Before its cutover a move can be ' +
          'aborted; after it, while the source keeps the slots (a minute), it can be taken back.',
      )
      .option('--json', 'one JSON object a line'),
  ).action(async (action: Action, id: number | undefined, flags: MoveFlags) => {
    await withServer(terminal, flags, (feed) => act(feed, { action, id, flags }, terminal))
  })
  examples(moves, [
    ['cellfeed moves', 'a table'],
    ['cellfeed moves watch', 'each change, until no move is under way'],
    ['cellfeed moves abort 1732670000000', ''],
    ['cellfeed moves rollback 1732670000000', ''],
  ])
}

async function act(
  feed: Cellfeed,
  { action, id, flags }: { action: Action; id: number | undefined; flags: MoveFlags },
  terminal: Terminal,
): Promise<void> {
  if (action === 'list') return list(feed, flags, terminal)
  if (action === 'watch') return watch(feed, flags, terminal)
  if (id === undefined) {
    terminal.note(`cellfeed: say which move: cellfeed moves ${action} <id>; see cellfeed moves`)
    terminal.endWith(exitCodes.usage)
    return
  }
  await feed.changeMove(id, action === 'rollback' ? 'roll-back' : action)
}

async function list(feed: Cellfeed, flags: MoveFlags, terminal: Terminal): Promise<void> {
  const all = await feed.moves()
  if (flags.json) for (const move of all) terminal.out(jsonLine(move))
  else terminal.out(all.length === 0 ? 'no move is under way' : harmless(printMoves(all)))
  if (all.some(({ phase }) => phase === 'DIFFERS')) terminal.endWith(exitCodes.no)
}

/** Prints each change of phase until no move is under way, or one differs. */
async function watch(feed: Cellfeed, flags: MoveFlags, terminal: Terminal): Promise<void> {
  const known = new Map<number, Move>()
  while (!terminal.interrupted.aborted) {
    const now = await feed.moves()
    for (const move of now) {
      const before = known.get(move.id)
      if (before?.phase === move.phase && before.detail === move.detail) continue
      terminal.out(flags.json ? jsonLine(move) : harmless(lineOf(move)))
    }
    for (const move of known.values()) {
      if (now.some(({ id }) => id === move.id)) continue
      terminal.out(flags.json ? jsonLine({ ...move, phase: 'OVER' }) : `move ${move.id} is over`)
    }
    known.clear()
    for (const move of now) known.set(move.id, move)
    if (now.some(({ phase }) => phase === 'DIFFERS')) {
      terminal.endWith(exitCodes.no)
      return
    }
    if (now.length === 0) return
    await setTimeout(WATCH_MS)
  }
}

function lineOf(move: Move): string {
  const detail = move.detail === '' ? '' : ` (${move.detail})`
  return `move ${move.id}: ${summaryOf(move)}: ${move.phase.toLowerCase()}${detail}`
}

function printMoves(moves: readonly Move[]): string {
  const rows = moves.map((move) => [
    String(move.id),
    slotsText(move.slots),
    move.from,
    move.to,
    move.phase.toLowerCase(),
    move.detail,
  ])
  return table([['id', 'slots', 'from', 'to', 'phase', ''], ...rows])
}

function summaryOf({ slots, from, to }: Move): string {
  const number = slots.reduce((sum, { first, last }) => sum + last - first + 1, 0)
  return `${count(number, 'slot')} (${slotsText(slots)}) from ${from} to ${to}`
}

function slotsText(slots: readonly SlotRun[]): string {
  return slots
    .map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`))
    .join(',')
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

function parseAction(given: string): Action {
  const action = ACTIONS.find((each) => each === given)
  if (action === undefined) throw new InvalidArgumentError(`Give one of ${ACTIONS.join(', ')}.`)
  return action
}

function parseId(given: string): number {
  const id = Number(given)
  if (!/^\d+$/.test(given) || !Number.isSafeInteger(id)) {
    throw new InvalidArgumentError('Give the number of a move, as "cellfeed moves" shows it.')
  }
  return id
}
