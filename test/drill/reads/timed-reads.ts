// What users call, with every page they ask for noted: whose it was, from when to when, and why it failed if it did.

import { type Cellfeed, CellfeedError } from '../../../services/client/connect.ts'

export type TimedRead = {
  /** Undefined: what was asked for is nobody's, as the log's end. */
  readonly viewer: string | undefined
  readonly fromMs: number
  readonly toMs: number
  /** Undefined: it was answered. */
  readonly failure: string | undefined
}

/** Sessions of it are noted too. */
export function timedReads(feed: Cellfeed, note: (read: TimedRead) => void): Cellfeed {
  const timed = async <T>(viewer: string | undefined, read: () => Promise<T>): Promise<T> => {
    const fromMs = performance.now()
    const end = (failure?: string) => note({ viewer, fromMs, toMs: performance.now(), failure })
    try {
      const answer = await read()
      end()
      return answer
    } catch (error) {
      if (error instanceof CellfeedError) end(`${error.reason || error.code}: ${error.message}`)
      throw error
    }
  }
  return {
    ...feed,
    get consistencyTokens() {
      return feed.consistencyTokens
    },
    dashboard: (viewer, options) => timed(viewer, () => feed.dashboard(viewer, options)),
    seeEverything: () => timed(undefined, () => feed.seeEverything()),
    session: (tokens) => timedReads(feed.session(tokens), note),
  }
}
