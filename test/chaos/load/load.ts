// What all actors of one run share: the history, the locks, the connection, and what was found.

import type { Cellfeed } from '../../../services/client/connect.ts'
import { Dice } from '../../simulation/random.ts'
import type { Finding } from '../check/finding.ts'
import { History } from '../history/history.ts'
import type { Outcome } from '../history/operation.ts'
import { Locks } from './locks.ts'

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

/** Further findings of a kind are counted only. */
const findingsMaxPerKind = 3

export class Load {
  readonly plan: LoadPlan
  readonly feed: Cellfeed
  readonly history = new History()
  readonly locks = new Locks()
  readonly users: readonly string[]
  readonly findings: Finding[] = []
  readonly outcomes: Record<Outcome, number> = { acknowledged: 0, refused: 0, unknown: 0 }
  /** Why calls failed, by reason. */
  readonly failures = new Map<string, number>()
  readsAnswered = 0
  readsFailed = 0
  postsSeen = 0
  readonly findingsByKind = new Map<Finding['kind'], number>()
  readonly #waiting = new Set<{ readonly count: number; readonly resolve: () => void }>()

  /** `feed` makes each call once: attempts are made, and noted, one by one. */
  constructor(plan: LoadPlan, feed: Cellfeed) {
    this.plan = plan
    this.feed = feed
    this.users = Array.from({ length: plan.users }, (_, index) => `${plan.prefix}u${index}`)
  }

  dice(stream: string): Dice {
    return new Dice(this.plan.seed, stream)
  }

  found(findings: readonly Finding[]): void {
    for (const finding of findings) {
      const count = (this.findingsByKind.get(finding.kind) ?? 0) + 1
      this.findingsByKind.set(finding.kind, count)
      if (count <= findingsMaxPerKind) this.findings.push(finding)
    }
  }

  wrote(outcome: Outcome): void {
    this.outcomes[outcome] += 1
    if (outcome !== 'acknowledged') return
    for (const waiter of this.#waiting) {
      if (this.outcomes.acknowledged >= waiter.count) waiter.resolve()
    }
  }

  failed(reason: string): void {
    this.failures.set(reason, (this.failures.get(reason) ?? 0) + 1)
  }

  /** Resolves when so many more writes are acknowledged; rejects with the signal's reason. */
  acknowledges(more: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiter = {
        count: this.outcomes.acknowledged + more,
        resolve: () => finish(resolve),
      }
      const onAbort = () => finish(() => reject(signal.reason as Error))
      const finish = (settle: () => void) => {
        this.#waiting.delete(waiter)
        signal.removeEventListener('abort', onAbort)
        settle()
      }
      this.#waiting.add(waiter)
      signal.addEventListener('abort', onAbort, { once: true })
      if (signal.aborted) onAbort()
    })
  }
}
