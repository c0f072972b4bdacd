// The life of a process that serves: it starts, says in one line that it is ready, and drains at SIGTERM or Ctrl-C. What
// went wrong is one line, and an exit code that tells a supervisor whether another try can help.
//
//     starting --> ready --> draining --> exit 0
//        |           |
//        |           +--> another took its place: exit 1, at once, nothing more is written
//        +--> exit 1 (try again) or 2 (started wrongly)

import { setMaxListeners } from 'node:events'
import { Closing } from './closing.ts'
import { EXIT_FAILED, EXIT_OK, EXIT_USAGE, stopSignal } from './lifecycle.ts'
import { ListenError } from './listen-error.ts'

export type Output = {
  /** A line for who reads standard output. */
  readonly out: (line: string) => void
  /** A line for people. */
  readonly note: (line: string) => void
}
export type ProcessExit = typeof EXIT_OK | typeof EXIT_FAILED | typeof EXIT_USAGE

export type Running = {
  /** Where it is and what it is, in words. */
  readonly ready: string
  /** Resolves with a line if the process has to end because another took its place. */
  readonly superseded?: Promise<string>
}

/** Why a process can not start, in a line for who started it. */
export class StartFailure extends Error {
  override readonly name = 'StartFailure'
  readonly exit: typeof EXIT_FAILED | typeof EXIT_USAGE

  constructor(message: string, exit: StartFailure['exit'], options?: ErrorOptions) {
    super(message, options)
    this.exit = exit
  }
}

const LISTENERS_MAX = 10_000

/**
 * Resolves with the exit code when all is closed. `start` adds to `closing` what it opened, also when it throws, and may end
 * early when the signal aborts. `flagOf`: which flag chose a port that is taken.
 */
export async function runProcess(
  start: (closing: Closing, stopping: AbortSignal) => Promise<Running>,
  { out, note }: Output,
  flagOf: (port: number) => string,
): Promise<ProcessExit> {
  // Many activities wait with the one signal that stops them: no leak, and nothing to warn of.
  setMaxListeners(LISTENERS_MAX)
  const closing = new Closing()
  const stopping = new AbortController()
  const stopped = stopSignal().then((signal) => {
    note(`${signal}: draining; again to stop at once`)
    stopping.abort()
    return 'stopped' as const
  })
  let running: Running
  try {
    running = await start(closing, stopping.signal)
  } catch (error) {
    const failed = await closed(closing)
    if (stopping.signal.aborted) return endedWith(failed, note)
    const { line, exit } = startFailure(error, flagOf)
    note(`cellfeed: ${line}`)
    return exit
  }
  if (!stopping.signal.aborted) out(`ready: ${running.ready}`)
  const superseded = running.superseded ?? new Promise<never>(() => undefined)
  const end = await Promise.race([stopped, superseded.then((line) => ({ line }))])
  if (end !== 'stopped') {
    note(`cellfeed: ${end.line}`)
    process.exit(EXIT_FAILED)
  }
  return endedWith(await closed(closing), note)
}

function endedWith(failure: unknown, note: Output['note']): ProcessExit {
  if (failure === undefined) return EXIT_OK
  note(`cellfeed: did not stop cleanly: ${messageOf(failure)}; nothing acknowledged is lost`)
  return EXIT_FAILED
}

/** What closing failed with, if it did. */
async function closed(closing: Closing): Promise<unknown> {
  return closing.close().then(
    () => undefined,
    (error: unknown) => error ?? new Error('unknown'),
  )
}

function startFailure(
  error: unknown,
  flagOf: (port: number) => string,
): { readonly line: string; readonly exit: ProcessExit } {
  if (error instanceof StartFailure) return { line: error.message, exit: error.exit }
  if (error instanceof ListenError) {
    const line = `${error.message}; choose another with ${flagOf(error.port)}`
    return { line, exit: EXIT_USAGE }
  }
  return { line: `could not start: ${messageOf(error)}`, exit: EXIT_FAILED }
}

/** Of a process with a main port and a status page. */
export function flagOfPort({ port: main }: { readonly port: number }): (port: number) => string {
  return (port) => (port === main ? '--port' : '--status-port')
}

export function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message.split('\n')[0] ?? message
}
