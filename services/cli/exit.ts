// How a command ends: its exit code, and the one line that says what went wrong and what to do.

import { CommanderError } from 'commander'
import { CellfeedError } from '../client/cellfeed-error.ts'

export const exitCodes = {
  ok: 0,
  /** The answer is no: not found, not on the dashboard, bad lines in an import. */
  no: 1,
  /** The command was not given rightly. */
  usage: 2,
  /** No server answers there, or it can not serve now. */
  unreachable: 3,
  /** Ctrl-C, as the shell counts it. */
  interrupted: 130,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** Ends the command with a line and an exit code. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure'
  readonly exitCode: ExitCode

  constructor(message: string, exitCode: ExitCode, options?: ErrorOptions) {
    super(message, options)
    this.exitCode = exitCode
  }
}

/** What is given wrongly, and what to do. */
export function usageFailure(message: string, cause?: unknown): CommandFailure {
  return new CommandFailure(message, exitCodes.usage, cause === undefined ? undefined : { cause })
}

export interface Ending {
  readonly exitCode: ExitCode
  /** Undefined: nothing more to be said. */
  readonly line: string | undefined
}

/** How a command ends that threw this. */
export function endingOf(thrown: unknown): Ending {
  if (thrown instanceof CommandFailure) return { exitCode: thrown.exitCode, line: thrown.message }
  if (thrown instanceof CommanderError) {
    if (thrown.exitCode === 0) return { exitCode: exitCodes.ok, line: undefined }
    return { exitCode: exitCodes.usage, line: thrown.message.replace(/^error: /, '') }
  }
  if (thrown instanceof CellfeedError) return endingOfCall(thrown)
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return { exitCode: exitCodes.no, line: `unexpected: ${message}` }
}

function endingOfCall(error: CellfeedError): Ending {
  const line = `${error.message}${adviceFor(error)}`
  switch (error.code) {
    case 'CANCELLED':
      return { exitCode: exitCodes.interrupted, line: undefined }
    case 'INVALID_ARGUMENT':
      return { exitCode: exitCodes.usage, line }
    case 'UNAVAILABLE':
    case 'DEADLINE_EXCEEDED':
    case 'RESOURCE_EXHAUSTED':
    case 'UNIMPLEMENTED':
      return { exitCode: exitCodes.unreachable, line }
    case 'ABORTED':
    case 'ALREADY_EXISTS':
    case 'DATA_LOSS':
    case 'FAILED_PRECONDITION':
    case 'INTERNAL':
    case 'NOT_FOUND':
    case 'OUT_OF_RANGE':
    case 'PERMISSION_DENIED':
    case 'UNAUTHENTICATED':
    case 'UNKNOWN':
      return { exitCode: exitCodes.no, line }
  }
}

function adviceFor(error: CellfeedError): string {
  switch (error.reason) {
    case 'UNREACHABLE':
      return '; start one with "cellfeed serve", or say where one is with --address'
    case 'TIMED_OUT':
    case 'TOO_LATE':
      return '; try again, or see with "cellfeed cells" what the server does'
    case 'CONSISTENCY_NOT_REACHED':
      return '; see with "cellfeed cells" how far behind it is, or read as it is with --stale'
    case 'POSITION_OUT_OF_RANGE':
      return '; begin with --from earliest for what is still there'
    case 'OTHER_LOG':
      return '; a position is good for the server that gave it: begin with --from earliest'
    default:
      return error.field !== undefined && !error.message.includes(error.field)
        ? ` (${error.field})`
        : ''
  }
}
