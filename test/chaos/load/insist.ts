// Asks as somebody who does not give up: what is up has to answer in time.

import { setTimeout as wait } from 'node:timers/promises'
import { CellfeedError } from '../../../services/client/connect.ts'

const pauseMsUsual = 250

/** Again until it is answered. Rejects with the last answer once the signal has fired. */
export async function insist<T>(
  ask: () => Promise<T>,
  signal: AbortSignal,
  pauseMs = pauseMsUsual,
): Promise<T> {
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof CellfeedError) || signal.aborted) throw error
      await wait(pauseMs)
    }
  }
}
