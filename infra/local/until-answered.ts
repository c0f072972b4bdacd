// Asks a server that is starting until it answers.

import { setTimeout as wait } from 'node:timers/promises'

const ASK_EVERY_MS = 50

/** Asking again can not help. */
export class HopelessError extends Error {
  readonly code = 'hopeless'
}

/** Rejects with the last refusal when time is up, or at once with a HopelessError. */
export async function untilAnswered(ask: () => Promise<void>, withinMs: number): Promise<void> {
  const deadlineMs = performance.now() + withinMs
  for (;;) {
    try {
      await ask()
      return
    } catch (thrown) {
      if (thrown instanceof HopelessError || performance.now() > deadlineMs) throw thrown
      await wait(ASK_EVERY_MS)
    }
  }
}
