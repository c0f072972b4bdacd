// What all actors of one run share: the history, the locks, the connection, and what came of their calls.

import type { Cellfeed } from '../../../services/client/connect.ts'
import { Dice } from '../../simulation/random.ts'
import { History } from '../history/history.ts'
import { Locks } from './locks.ts'
import { Tally } from './tally.ts'

export type LoadPlan = {
  /** What everything is drawn from. */
  readonly seed: number
  /** Begins every user id, so that runs can share a cluster. */
  readonly prefix: string
  readonly users: number
  readonly sessionsPerUser: number
  readonly followsPerUser: number
  readonly actionsPerSecond: number
  /** How long a client waits for an answer, all attempts together. */
  readonly timeoutMs: number
}

export class Load {
  readonly plan: LoadPlan
  readonly feed: Cellfeed
  readonly history = new History()
  readonly locks = new Locks()
  readonly users: readonly string[]
  /** Of the fault that is under way. */
  tally = new Tally()

  /** `feed` makes each call once: attempts are made, and noted, one by one. */
  constructor(plan: LoadPlan, feed: Cellfeed) {
    this.plan = plan
    this.feed = feed
    this.users = Array.from({ length: plan.users }, (_, index) => `${plan.prefix}u${index}`)
  }

  dice(stream: string): Dice {
    return new Dice(this.plan.seed, stream)
  }
}
