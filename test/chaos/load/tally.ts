// What came of the calls since a fault was announced, and what the checkers found.

import type { Finding } from '../check/finding.ts'
import type { Outcome } from '../history/operation.ts'

/** Further findings of a kind are counted only. */
const findingsMaxPerKind = 3

type Waiter = { readonly count: number; readonly resolve: () => void }

export class Tally {
  readonly writes: Record<Outcome, number> = { acknowledged: 0, refused: 0, unknown: 0 }
  /** Why calls failed, by reason. */
  readonly failures = new Map<string, number>()
  readonly findings: Finding[] = []
  readonly findingsByKind = new Map<Finding['kind'], number>()
  readsAnswered = 0
  readsFailed = 0
  postsSeen = 0
  readonly #waiting = new Set<Waiter>()

  wrote(outcome: Outcome): void {
    this.writes[outcome] += 1
    if (outcome !== 'acknowledged') return
    for (const waiter of this.#waiting) {
      if (this.writes.acknowledged >= waiter.count) waiter.resolve()
    }
  }

  read(posts: number): void {
    this.readsAnswered += 1
    this.postsSeen += posts
  }

  notRead(reason: string): void {
    this.readsFailed += 1
    this.failed(reason)
  }

  failed(reason: string): void {
    this.failures.set(reason, (this.failures.get(reason) ?? 0) + 1)
  }

  found(findings: readonly Finding[]): void {
    for (const finding of findings) {
      const count = (this.findingsByKind.get(finding.kind) ?? 0) + 1
      this.findingsByKind.set(finding.kind, count)
      if (count <= findingsMaxPerKind) this.findings.push(finding)
    }
  }

  /** Resolves when so many more writes are acknowledged. */
  acknowledges(more: number, withinMs: number): Promise<void> {
    const { acknowledged } = this.writes
    return new Promise((resolve, reject) => {
      const waiter = {
        count: acknowledged + more,
        resolve: () => {
          clearTimeout(timer)
          this.#waiting.delete(waiter)
          resolve()
        },
      }
      const timer = setTimeout(() => {
        this.#waiting.delete(waiter)
        const got = this.writes.acknowledged - acknowledged
        const failures = [...this.failures].map(([reason, count]) => `${reason} ${count}`)
        const message = `${got} instead of ${more} writes were acknowledged within ${withinMs} ms`
        reject(new Error(`${message}; failures: ${failures.join(', ')}`))
      }, withinMs)
      this.#waiting.add(waiter)
    })
  }
}
