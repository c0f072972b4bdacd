// rebalance; and cells drain, which is the same with a cell that is to own nothing.

import type { Command } from 'commander'
import type { BalancePlan, BalanceWish, RebalanceEvent } from '../../client/balance-calls.ts'
import type { Cellfeed } from '../../client/connect.ts'
import { type AdminFlags, adminFlags, dryRunFlag, examples, withServer } from '../client-command.ts'
import { exitCodes } from '../exit.ts'
import { count, jsonLine } from '../print.ts'
import type { Terminal } from '../terminal.ts'
import { wavesTable } from './print-plan.ts'
import { ShowRebalance } from './show-rebalance.ts'

export function addRebalanceCommand(program: Command, terminal: Terminal): void {
  const rebalance = dryRunFlag(
    adminFlags(
      program
        .command('rebalance')
        .summary('Move users until all cells have about as much to do')
        .description(
          'Move slots, with their users, until no cell has more than 1.1 times the mean to do, by what is measured ' +
            'now: users, reads, bytes. As few as possible, in waves that start small. Between two waves it looks at ' +
            'failed reads, slow reads, lag and differences, and stops when one of them is worse than before (exit ' +
            'code 1). It may be interrupted at any time and run again: what was begun goes on.',
        )
        .option('--json', 'one JSON object a line'),
    ),
  ).action(async (flags: AdminFlags) => {
    await withServer(terminal, flags, (feed) => balance(feed, {}, { flags, terminal }))
  })
  examples(rebalance, [
    ['cellfeed rebalance --dry-run', 'which slots would move, and what that is good for'],
    ['cellfeed rebalance', 'after a cell was added: it gets its part'],
  ])
}

/** Plans, and carries out what is planned. */
export async function balance(
  feed: Cellfeed,
  wish: BalanceWish,
  { flags, terminal }: { readonly flags: AdminFlags; readonly terminal: Terminal },
): Promise<void> {
  const isJson = flags.json === true
  const show = new ShowRebalance(terminal, isJson)
  const told = flags.dryRun === true ? dryRun(feed, wish) : feed.rebalance(wish)
  let plan: BalancePlan | undefined
  let isStopped = false
  try {
    for await (const event of told) {
      show.show(event)
      if (event.kind === 'plan') plan = event.plan
      isStopped ||= event.kind === 'stopped'
    }
  } catch (thrown) {
    if (!terminal.interrupted.aborted) throw thrown
    terminal.note('No wave is begun any more; what was begun goes on: cellfeed moves')
    return terminal.endWith(exitCodes.interrupted)
  }
  if (plan === undefined || isStopped) return terminal.endWith(exitCodes.no)
  if (flags.dryRun === true && plan.waves.length > 0) {
    if (!isJson) terminal.out(`\n${wavesTable(plan)}`)
  } else if (plan.waves.length === 0) {
    if (!isJson) terminal.out('There is nothing to move.')
  } else if (isJson) {
    terminal.out(jsonLine({ event: 'done' }))
  } else {
    terminal.out(`done: ${count(plan.slotsMoved, 'slot')}, ${count(plan.readers, 'user')}`)
  }
}

async function* dryRun(feed: Cellfeed, wish: BalanceWish): AsyncGenerator<RebalanceEvent> {
  yield { kind: 'plan', plan: await feed.planBalance(wish) }
}
