// serve: a whole cluster in this process. Loaded only when asked for: the other commands start
// without it.

import type { Command } from 'commander'
import type { ServeFlag } from '../serve/config.ts'
import { examples } from './client-command.ts'
import { usageFailure } from './exit.ts'
import type { Terminal } from './terminal.ts'

export function addServeCommand(
  program: Command,
  terminal: Terminal,
  flags: readonly ServeFlag[],
): void {
  const command = program
    .command('serve')
    .summary('Run a cluster in one process')
    .description('Run a cluster in one process, until Ctrl-C or SIGTERM, which let it end its work')
    .action(async (given: Record<string, unknown>) => {
      const { isConfigErrors, parseServeConfig } = await import('../serve/config.ts')
      const config = parseServeConfig(given, terminal.environment.all)
      if (isConfigErrors(config)) throw usageFailure(config.errors.join('; '))
      const { runServe } = await import('../serve/run.ts')
      terminal.endWith(await runServe(config, terminal))
    })
  for (const flag of flags) command.option(flag.flags, `${flag.description} [${flag.environment}]`)
  examples(command, [
    ['cellfeed serve', 'on 127.0.0.1:7400, everything in ./cellfeed-data'],
    ['cellfeed serve --data /var/lib/feeds --cells 4', 'in a folder of its own, with four cells'],
    ['cellfeed serve --port 0 --admin-port 0', 'on any free ports; the first line says which'],
  ])
}
