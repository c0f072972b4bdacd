// serve: a whole cluster in this process. Loaded only when asked for: the other commands start
// without it.

import type { Command } from 'commander'
import { examples } from './client-command.ts'
import type { Terminal } from './terminal.ts'

export function addServeCommand(program: Command, terminal: Terminal): void {
  const serve = program
    .command('serve')
    .summary('Run a cluster in one process')
    .description('Run a cluster in one process, on 127.0.0.1, until Ctrl-C or SIGTERM')
    .action(async (flags: Record<string, unknown>) => {
      const { parseServeConfig } = await import('../serve/config.ts')
      const { serve: runCluster } = await import('../serve/main.ts')
      await runCluster(parseServeConfig(flags, terminal.environment.all))
    })
  examples(serve, [['cellfeed serve', '']])
}
