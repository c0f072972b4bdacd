// What commands see of the process: where lines go, the time, and whether the user wants to stop.

import type { CliEnvironment } from './config.ts'
import type { ExitCode } from './exit.ts'

export interface Terminal {
  /** A line of the result, to standard output. */
  readonly out: (line: string) => void
  /** A line about the work, to standard error. */
  readonly note: (line: string) => void
  /** Replaces the line of progress on standard error; an empty one removes it. */
  readonly progress: (line: string) => void
  /** Whether standard error is a terminal, so that a line of progress can be replaced. */
  readonly isInteractive: boolean
  readonly stdin: AsyncIterable<Uint8Array>
  readonly nowMs: () => number
  /** Fires when the user presses Ctrl-C. */
  readonly interrupted: AbortSignal
  readonly environment: CliEnvironment
  /** How the command ends if it does not throw. 0 unless set. */
  readonly endWith: (exitCode: ExitCode) => void
}
