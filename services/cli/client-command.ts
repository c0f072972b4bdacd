// What all commands share that talk to a server.

import { userInfo } from 'node:os'
import type { Command } from 'commander'
import { InvalidArgumentError, Option } from 'commander'
import { type Cellfeed, type ConnectOptions, connect } from '../client/connect.ts'
import { defaultAddress } from '../client/address.ts'
import { clientTls } from './client-tls.ts'
import type { Terminal } from './terminal.ts'

/** The flags that `addressFlags` adds. */
export interface AddressFlags {
  readonly address?: string
  readonly timeout: number
}

/** The flags that `adminFlags` and `dryRunFlag` add, and those that most commands for operators have. */
export interface AdminFlags extends AddressFlags {
  readonly adminAddress?: string
  readonly json?: boolean
  readonly dryRun?: boolean
}

/** Adds the flags that say where the server is. */
export function addressFlags(command: Command, timeoutSeconds = 10): Command {
  return command
    .option('--address <host:port>', `the server (CELLFEED_ADDRESS, else ${defaultAddress})`)
    .addOption(
      new Option('--timeout <seconds>', 'how long a call may take')
        .argParser(parsePositive)
        .default(timeoutSeconds),
    )
}

/** The same, and where its admin API is. */
export function adminFlags(command: Command): Command {
  return addressFlags(command).option(
    '--admin-address <host:port>',
    "the server's admin API (CELLFEED_ADMIN_ADDRESS, else the next port)",
  )
}

export function dryRunFlag(command: Command): Command {
  return command.option('--dry-run', 'only say what would happen')
}

/** Runs `work` with a connection, and closes it. */
export async function withServer(
  terminal: Terminal,
  flags: AddressFlags & { readonly adminAddress?: string },
  work: (feed: Cellfeed) => Promise<void>,
  options: ConnectOptions = {},
): Promise<void> {
  const { environment } = terminal
  const feed = connect(flags.address ?? environment.address ?? defaultAddress, {
    timeoutMs: flags.timeout * 1000,
    adminAddress: flags.adminAddress ?? environment.adminAddress,
    tls: clientTls(environment.tls),
    operator: operatorName(),
    ...options,
  })
  const close = () => feed.close()
  terminal.interrupted.addEventListener('abort', close, { once: true })
  try {
    await work(feed)
  } finally {
    terminal.interrupted.removeEventListener('abort', close)
    feed.close()
  }
}

/** For the list of changes; an account without a name has none. */
function operatorName(): string {
  try {
    return userInfo().username
  } catch {
    return ''
  }
}

/** For flags: a number above 0. */
export function parsePositive(value: string): number {
  const number = Number(value)
  if (value.trim() === '' || !Number.isFinite(number) || number <= 0) {
    throw new InvalidArgumentError('Give a number above 0.')
  }
  return number
}

/** For flags: a number, 0 included. */
export function parseNotNegative(value: string): number {
  return value.trim() === '0' ? 0 : parsePositive(value)
}

/** For flags: a whole number of 1 or more. */
export function parseCount(value: string): number {
  const number = Number(value)
  if (!/^\d+$/.test(value) || number < 1 || !Number.isSafeInteger(number)) {
    throw new InvalidArgumentError('Give a whole number of 1 or more.')
  }
  return number
}

/** For flags that may be repeated. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}

/** The examples at the end of a command's --help: commands, each with what it does. */
export function examples(command: Command, lines: readonly (readonly [string, string])[]): Command {
  const width = Math.max(...lines.map(([example]) => example.length))
  const text = lines.map(([example, does]) => `  ${example.padEnd(width)}  ${does}`.trimEnd())
  return command.addHelpText('after', `\nExamples:\n${text.join('\n')}`)
}
