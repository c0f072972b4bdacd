// Loops that run beside the calls until the process stops.

import type { Logger } from './log.ts'

/** Runs until the signal aborts; failures that it goes on after are told to `failed`. */
export type Task = (signal: AbortSignal, failed: (error: unknown) => void) => Promise<void>

/** Starts the tasks, by name; answers with what ends them and waits until they have ended. */
export function inBackground(
  log: Logger,
  tasks: Readonly<Record<string, Task>>,
): () => Promise<void> {
  const ending = new AbortController()
  const { signal } = ending
  const loops = Object.entries(tasks).map(([task, run]) => {
    const failed = (error: unknown) => log.error({ task, err: error }, 'failed')
    return run(signal, failed).catch(failed)
  })
  return async () => {
    ending.abort()
    await Promise.all(loops)
  }
}
