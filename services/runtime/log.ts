// Loggers. Lines of JSON on stderr, so that stdout is left to what a person reads. Facts only, never post bodies.

import { destination, type Logger, pino } from 'pino'

export type { Logger } from 'pino'

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export function createLog(level: LogLevel): Logger {
  const options = { level, base: null, timestamp: () => `,"time":"${new Date().toISOString()}"` }
  return pino(options, destination({ fd: 2, sync: true }))
}

/** Where an adapter tells what happens to its connections. */
export function engineLog(log: Logger, engine: string) {
  const child = log.child({ engine })
  return {
    warn: (fact: string, details: Readonly<Record<string, unknown>>) => child.warn(details, fact),
    debug: (fact: string, details: Readonly<Record<string, unknown>>) => child.debug(details, fact),
  }
}
