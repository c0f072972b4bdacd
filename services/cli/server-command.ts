// A command that runs a server, or sets one up. Its modules are loaded only when it is asked for: the others start without
// them.

import type { Command } from 'commander'
import {
  type ConfigErrors,
  type Environment,
  type Flag,
  isConfigErrors,
  type Raw,
} from '../runtime/flags.ts'
import type { Output } from '../runtime/run-process.ts'
import { examples } from './client-command.ts'
import { type ExitCode, usageFailure } from './exit.ts'
import type { Terminal } from './terminal.ts'

export type ServerCommand = {
  readonly name: string
  readonly summary: string
  readonly description: string
  readonly examples: readonly (readonly [string, string])[]
  readonly flags: () => Promise<readonly Flag[]>
  /** Resolves with the exit code. Throws what is wrong with the flags. */
  readonly run: (raw: Raw, environment: Environment, output: Output) => Promise<ExitCode>
}

export const UNTIL_STOPPED = 'until Ctrl-C or SIGTERM, which let it end its work'

/** `flags`: of this command if it is the one that is run, else none: its help is not asked for. */
export function addServerCommand(
  program: Command,
  terminal: Terminal,
  server: ServerCommand,
  flags: readonly Flag[],
): void {
  const command = program
    .command(server.name)
    .summary(server.summary)
    .description(server.description)
    .action(async (raw: Raw) => {
      terminal.endWith(await server.run(raw, terminal.environment.all, terminal))
    })
  for (const flag of flags) {
    if (flag.flags === undefined) continue
    command.option(flag.flags, `${flag.description} [${flag.environment}]`)
  }
  examples(command, server.examples)
}

/** Throws what is wrong with the flags. */
export function accepted<Config extends object>(config: Config | ConfigErrors): Config {
  if (isConfigErrors(config)) throw usageFailure(config.errors.join('; '))
  return config
}
