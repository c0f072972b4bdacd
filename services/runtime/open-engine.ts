// Opens an engine at the start of a process. One that does not answer is asked again until patience ends, as whoever starts
// everything at once starts it too; one that refuses is refused at once, as asking again helps nobody. Either way it is one
// line: which engine, where, why, and what to do.

import type { Clock } from '../../cells/ports/clock.ts'
import { EXIT_FAILED, EXIT_USAGE } from './lifecycle.ts'
import type { Logger } from './log.ts'
import { messageOf, StartFailure } from './run-process.ts'

export type Engine = {
  /** Kafka, Cassandra, Redis. */
  readonly name: string
  /** Addresses, as they were given. */
  readonly at: string
  readonly flag: string
}
export type OpenOptions = {
  readonly clock: Clock
  readonly log: Logger
  readonly patienceMs: number
  /** The process is about to stop. */
  readonly signal: AbortSignal
}

export function kafkaAt(brokers: readonly string[]): Engine {
  return { name: 'Kafka', at: brokers.join(','), flag: '--kafka' }
}

export function cassandraAt(contactPoints: readonly string[]): Engine {
  return { name: 'Cassandra', at: contactPoints.join(','), flag: '--cassandra' }
}

const RETRY_MS = 250
const RETRY_MAX_MS = 2_000

/** Resolves with what `open` opened. Throws StartFailure. */
export async function openEngine<T>(
  engine: Engine,
  open: () => Promise<T>,
  { clock, log, patienceMs, signal }: OpenOptions,
): Promise<T> {
  const untilMs = clock.nowMs() + patienceMs
  for (let pauseMs = RETRY_MS; ; pauseMs = Math.min(pauseMs * 2, RETRY_MAX_MS)) {
    try {
      return await open()
    } catch (error) {
      const isOver = signal.aborted || clock.nowMs() + pauseMs > untilMs
      if (error instanceof StartFailure || isRefusal(error) || isOver) {
        throw startFailureOf(engine, error)
      }
      log.warn(
        { engine: engine.name, at: engine.at, why: causeOf(error) },
        'engine does not answer',
      )
    }
    await clock.sleep(pauseMs, signal)
  }
}

/** One line for who started the process. */
export function startFailureOf(engine: Engine, error: unknown): StartFailure {
  if (error instanceof StartFailure) return error
  const { name, at, flag } = engine
  if (isMissing(error)) {
    const what = messageOf(error)
    const advice = what.includes('cellfeed init') ? 'if it was, ' : 'run "cellfeed init", or '
    const line = `${name} at ${at} is not set up for this cluster: ${what}; ${advice}check --prefix and ${flag}`
    return new StartFailure(line, EXIT_USAGE, { cause: error })
  }
  const why = causeOf(error)
  if (isRefusal(error)) {
    const line = `${name} at ${at} refuses this process: ${why}; check ${flag} and its neighbours`
    return new StartFailure(line, EXIT_USAGE, { cause: error })
  }
  const line = `${name} at ${at} does not answer: ${why}; start it, or name another with ${flag}`
  return new StartFailure(line, EXIT_FAILED, { cause: error })
}

/** What drivers throw when asking again gives the same answer: who we are, what we trust, what is not there. */
const REFUSALS = [
  /sasl|authenticat|credential|password|not authorized|unauthorized|authorization/i,
  /certificate|\bssl\b|\btls\b|EPROTO/i,
  /localDataCenter|data center/i,
  /FIREHOSE_MISMATCH/,
]
/** Topics, keyspaces or tables that `init` makes. */
const MISSING = [
  /UNKNOWN_TOPIC_OR_PARTITION|does not exist|unconfigured table|SCHEMA_MISMATCH|cellfeed init/,
]

function isRefusal(error: unknown): boolean {
  return isMissing(error) || matches(error, REFUSALS)
}

function isMissing(error: unknown): boolean {
  return matches(error, MISSING)
}

function matches(error: unknown, patterns: readonly RegExp[]): boolean {
  return chainOf(error).some((link) => {
    const code = 'code' in link ? String(link.code) : ''
    return patterns.some((pattern) => pattern.test(`${code} ${link.name} ${link.message}`))
  })
}

/** The innermost cause that says something, on one line. */
export function causeOf(error: unknown): string {
  const told = chainOf(error)
    .map(({ message }) => message.split('\n')[0]?.trim() ?? '')
    .filter((message) => message !== '')
  return told.at(-1) ?? String(error)
}

/** The error and what caused it: drivers keep one cause, or one for each host they tried. */
function chainOf(error: unknown, depth = 0): Error[] {
  if (!(error instanceof Error) || depth > 8) return []
  const inner: unknown[] = [error.cause]
  if ('errors' in error && Array.isArray(error.errors)) inner.push(...(error.errors as unknown[]))
  if ('innerErrors' in error && typeof error.innerErrors === 'object') {
    inner.push(...Object.values(error.innerErrors ?? {}))
  }
  return [error, ...inner.flatMap((cause) => chainOf(cause, depth + 1))]
}
