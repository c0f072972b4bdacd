// load: a generator that shows how a server does under posts, follows and reads at given rates. What
// does it is loaded only when asked for.

import type { Command } from 'commander'
import {
  addressFlags,
  examples,
  parseCount,
  parseNotNegative,
  parsePositive,
} from './client-command.ts'
import type { LoadFlags } from './load/run-load.ts'
import type { Terminal } from './terminal.ts'

export function addLoadCommand(program: Command, terminal: Terminal): void {
  const command = addressFlags(
    program
      .command('load')
      .summary('Put a load on a server and measure it')
      .description(
        'Put a load on a server and measure it. It makes users of its own; authors are drawn by Zipf, ' +
          'times by chance, independent of the answers; latency counts from the intended time.',
      )
      .option('--users <count>', 'how many users', parseCount, 1_000)
      .option('--follows-each <count>', 'whom each follows at the start', parseNotNegative, 20)
      .option('--zipf <exponent>', 'how unequal authors are (0: equal)', parseNotNegative, 1)
      .option('--posts <per-second>', 'posts', parseNotNegative, 50)
      .option('--follows <per-second>', 'follows', parseNotNegative, 10)
      .option('--reads <per-second>', 'first pages of dashboards', parseNotNegative, 200)
      .option('--seconds <seconds>', 'for how long', parsePositive, 10)
      .option('--in-flight <calls>', 'at most so many calls at once', parseCount, 256)
      .option('--text-bytes <bytes>', 'length of a text', parseCount, 200)
      .option('--prefix <text>', "what its users' ids begin with", 'load-')
      .option('--seed <number>', 'the same again gives the same load', parseCount, 1)
      .option('--json', 'print JSON'),
  ).action(async (flags: LoadFlags) => {
    const { runLoad } = await import('./load/run-load.ts')
    await runLoad(flags, terminal)
  })
  examples(command, [
    ['cellfeed load', 'ten seconds of 50 posts, 10 follows and 200 reads a second'],
    ['cellfeed load --posts 1000 --reads 0 --seconds 60', 'only posts, for a minute'],
    ['cellfeed load --users 100000 --follows-each 200', 'on a large graph'],
  ])
}
