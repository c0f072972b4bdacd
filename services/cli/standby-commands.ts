// standby, failover: which cell is ready to take over from which, and taking over now.

import { type Command, InvalidArgumentError } from 'commander'
import type { Cellfeed } from '../client/connect.ts'
import type { Move, Residents } from '../client/move-calls.ts'
import { type AdminFlags, adminFlags, dryRunFlag, examples, withServer } from './client-command.ts'
import { usageFailure } from './exit.ts'
import { slotsIn, summaryOf } from './moves/print-moves.ts'
import { bytes, count, harmless, jsonLine, table } from './print.ts'
import type { Terminal } from './terminal.ts'

const ACTIONS = ['list', 'set', 'unset'] as const
type Action = (typeof ACTIONS)[number]

export function addStandbyCommands(program: Command, terminal: Terminal): void {
  const standby = dryRunFlag(
    adminFlags(
      program
        .command('standby')
        .argument('[action]', `one of ${ACTIONS.join(', ')}`, parseAction, 'list')
        .argument('[cell]', 'the cell that somebody is to stand by for')
        .argument('[standby]', 'the cell that stands by')
        .summary('Say which cell takes over from which')
        .description(
          'Which cell stands by for which. A standby keeps the users of the other cell in memory, up to date, and ' +
            'owns them as soon as that cell is dead: within its lease and a second or two. When the cell is well ' +
            'again, it gets them back.',
        )
        .option('--json', 'one JSON object a line'),
    ),
  ).action(
    async (action: Action, cell: string | undefined, at: string | undefined, flags: AdminFlags) => {
      await withServer(terminal, flags, async (feed) => {
        if (action === 'list') return list(feed, flags, terminal)
        if (cell === undefined || (at === undefined) === (action === 'set')) {
          const usage = action === 'set' ? 'set <cell> <standby>' : 'unset <cell>'
          throw usageFailure(`say which cells: cellfeed standby ${usage}`)
        }
        const begun = await feed.setStandby(cell, at, { dryRun: flags.dryRun === true })
        if (flags.json) terminal.out(jsonLine({ cell, standby: at ?? null, ...begun }))
        else terminal.out(harmless(ruleText({ cell, at, begun, flags })))
      })
    },
  )
  examples(standby, [
    ['cellfeed standby', 'a table'],
    ['cellfeed standby set cell-1 cell-2', 'cell-2 takes over when cell-1 dies'],
    ['cellfeed standby unset cell-1', ''],
  ])

  const failover = dryRunFlag(
    adminFlags(
      program
        .command('failover <cell>')
        .summary('Take the users of a cell away from it, now')
        .description(
          'Take the users of a cell away from it, dead or alive: to its standby at once, where that is ready; else ' +
            'by moves to the other cells, of a dead cell from its store.',
        )
        .option('--json', 'print JSON'),
    ),
  ).action(async (cell: string, flags: AdminFlags) => {
    await withServer(terminal, flags, async (feed) => {
      const dryRun = flags.dryRun === true
      const done = await feed.failOver(cell, { dryRun })
      if (flags.json) {
        terminal.out(jsonLine(done))
        return
      }
      if (done.takenOver.length + done.moved.length === 0) {
        terminal.out(harmless(`${cell} owns no slots: there is nothing to take`))
        return
      }
      const lines = [
        ...done.takenOver.map(
          (move) => `${dryRun ? 'at once: ' : 'taken over: '}${summaryOf(move)}`,
        ),
        ...done.moved.map(
          (move) => `${dryRun ? 'by a move: ' : `move ${move.id}: `}${summaryOf(move)}`,
        ),
      ]
      terminal.out(harmless(lines.join('\n')))
      // A dead cell tells nothing.
      if (done.readers > 0n) terminal.out(`in all ${residentsText(done)}`)
      if (done.moved.length > 0 && !dryRun) terminal.note('See "cellfeed moves watch".')
    })
  })
  examples(failover, [
    ['cellfeed failover cell-1 --dry-run', 'who would take which slots'],
    ['cellfeed failover cell-1', ''],
  ])
}

function ruleText(given: {
  readonly cell: string
  readonly at: string | undefined
  readonly begun: { readonly moves: readonly Move[] } & Residents
  readonly flags: AdminFlags
}): string {
  const { cell, at, begun, flags } = given
  const would = flags.dryRun === true ? 'would stand' : 'stands'
  if (at === undefined) return `no cell ${would} by for ${cell}`
  const slots = begun.moves.reduce((sum, move) => sum + slotsIn(move.slots), 0)
  const who = slots === 0 ? '' : ` with ${residentsText(begun)}`
  return `${at} ${would} by for ${cell}; to copy: ${count(slots, 'slot')}${who}`
}

function residentsText({ readers, bytes: size }: Residents): string {
  return `${count(readers, 'user')}, ${bytes(size)} in memory`
}

async function list(feed: Cellfeed, flags: AdminFlags, terminal: Terminal): Promise<void> {
  const { standbys } = await feed.placement()
  const standing = (await feed.moves()).filter((move) => move.isStandby)
  const rules = standbys.map((rule) => {
    const of = standing.filter((move) => move.from === rule.cell && move.to === rule.standby)
    const slotsBy = (phase: Move['phase'] | undefined) =>
      of
        .filter((move) => phase === undefined || move.phase === phase)
        .reduce((sum, move) => sum + slotsIn(move.slots), 0)
    return {
      ...rule,
      slotsReady: slotsBy('READY'),
      slotsTakenOver: slotsBy('RETIRING'),
      slots: slotsBy(undefined),
    }
  })
  if (flags.json) for (const rule of rules) terminal.out(jsonLine(rule))
  else if (rules.length === 0) terminal.out('no cell has a standby: cellfeed standby set --help')
  else terminal.out(harmless(tableOf(rules)))
}

function tableOf(
  rules: readonly {
    readonly cell: string
    readonly standby: string
    readonly slots: number
    readonly slotsReady: number
    readonly slotsTakenOver: number
  }[],
): string {
  const rows = rules.map((rule) => [
    rule.cell,
    rule.standby,
    String(rule.slots),
    String(rule.slotsReady),
    String(rule.slotsTakenOver),
  ])
  return table([['cell', 'standby', 'slots', 'ready', 'taken over'], ...rows])
}

function parseAction(given: string): Action {
  const action = ACTIONS.find((each) => each === given)
  if (action === undefined) throw new InvalidArgumentError(`Give one of ${ACTIONS.join(', ')}.`)
  return action
}
