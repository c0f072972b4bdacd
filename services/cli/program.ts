// The command line as a whole: all commands, their help, and how wrong usage is told.

import { Command, CommanderError } from 'commander'
import type { Flag } from '../runtime/flags.ts'
import { addCellsCommand } from './cells-command.ts'
import { addChangesCommand } from './changes-command.ts'
import { addDashboardCommands } from './dashboard-commands.ts'
import { addExplainCommand } from './explain-command.ts'
import { addFirehoseCommand } from './firehose-command.ts'
import { addGraphCommands } from './graph-commands.ts'
import { addImportCommand } from './import-command.ts'
import { addLoadCommand } from './load-command.ts'
import { addMoveCommands } from './moves/move-commands.ts'
import { addPostCommands } from './post-commands.ts'
import { CLUSTER_COMMANDS } from './cluster-commands.ts'
import { SERVE } from './serve-command.ts'
import { addServerCommand, type ServerCommand } from './server-command.ts'
import { addRebalanceCommand } from './moves/rebalance-command.ts'
import { addPolicyCommand } from './policy-command.ts'
import { addReconcileCommand } from './reconcile-command.ts'
import { addStandbyCommands } from './standby-commands.ts'
import type { Terminal } from './terminal.ts'
import { packageVersion } from '../runtime/version.ts'

/** The server that the command line names, with its flags: the modules of the others are not loaded. */
export type NamedServer = { readonly command: ServerCommand; readonly flags: readonly Flag[] }

export function buildProgram(terminal: Terminal, named?: NamedServer): Command {
  const program = new Command('cellfeed')
    .description('Home feeds: a server, and commands that talk to one.')
    .version(packageVersion(), '--version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => terminal.note(text.trimEnd()),
      // The one line about what is wrong is printed where all errors are.
      outputError: () => {},
    })
    .exitOverride()
    .configureHelp({ sortSubcommands: false, subcommandTerm: (command) => command.name() })
    .addHelpCommand(
      new Command('help').argument('[command]').summary('Print help').helpGroup('Server:'),
    )

  program.commandsGroup('Server:')
  const addServer = (command: ServerCommand) =>
    addServerCommand(program, terminal, command, named?.command === command ? named.flags : [])
  addServer(SERVE)
  addExplainCommand(program, terminal)
  program.commandsGroup('Cluster:')
  for (const command of CLUSTER_COMMANDS) addServer(command)
  program.commandsGroup('Cells:')
  addCellsCommand(program, terminal)
  addRebalanceCommand(program, terminal)
  addMoveCommands(program, terminal)
  addStandbyCommands(program, terminal)
  addChangesCommand(program, terminal)
  addPolicyCommand(program, terminal)
  program.commandsGroup('People:')
  addGraphCommands(program, terminal)
  program.commandsGroup('Posts:')
  addPostCommands(program, terminal)
  addDashboardCommands(program, terminal)
  program.commandsGroup('Everything:')
  addFirehoseCommand(program, terminal)
  addImportCommand(program, terminal)
  addReconcileCommand(program, terminal)
  addLoadCommand(program, terminal)

  for (const command of program.commands) {
    command.exitOverride((error) => {
      throw withAdvice(error, `cellfeed ${command.name()} --help`)
    })
  }
  program.exitOverride((error) => {
    throw withAdvice(error, 'cellfeed --help')
  })
  return program.addHelpText(
    'after',
    `
A first dashboard:
  cellfeed serve                       in one terminal; in another:
  cellfeed follow alice bob
  cellfeed publish bob "hello"
  cellfeed dashboard alice

Each command has examples: cellfeed <command> --help
Exit codes: 0 done, 1 no, 2 wrong usage, 3 no server.`,
  )
}

/** What is wrong, and where to read on. Asking for help is no error. */
function withAdvice(error: CommanderError, help: string): CommanderError {
  if (error.exitCode === 0) return error
  // No command at all: the help was printed already.
  if (error.code === 'commander.help') return new CommanderError(2, error.code, 'give a command')
  const message = error.message.replaceAll(/\s*\n\s*/g, ' ').replace(/\.?$/, '')
  return new CommanderError(2, error.code, `${message}; see ${help}`)
}
