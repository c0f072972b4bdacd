// Leases of one cell on a control store in memory, with clocks that stand until a test moves them.

import type { Clock } from '../../../../cells/ports/clock.ts'
import type { ControlStore } from '../../../../cells/ports/control-store.ts'
import { MemoryControlStore } from '../../../../infra/memory/control-store.ts'
import { CellLease } from '../../../../services/cell/cell-lease.ts'
import { createLog } from '../../../../services/runtime/log.ts'

export const LEASE_MS = 6_000

/** A control store that can be away: it refuses, or does not answer. */
export class AwayControlStore extends MemoryControlStore {
  isAway = false

  override async compareAndSet(key: string, expected: number, value: Uint8Array) {
    if (this.isAway) throw new Error('the control store is away')
    return super.compareAndSet(key, expected, value)
  }
}

export class LeaseStage implements Clock {
  monotonicMs = 0
  wallMs = Date.UTC(2026, 0, 1)
  suspended = 0
  readonly lease: CellLease
  readonly failures: unknown[] = []
  readonly #sleepers = new Set<() => void>()
  readonly #ending = new AbortController()

  constructor(control: ControlStore, address: string) {
    this.lease = new CellLease({
      control,
      clock: this,
      monotonicMs: () => this.monotonicMs,
      log: createLog('silent'),
      leaseMs: LEASE_MS,
      cell: 'cell-1',
      address: () => address,
      version: '1.2.3',
      about: () => ({
        state: 'serving',
        detail: '',
        startedAtMs: this.wallMs,
        memoryBytes: 1,
        readP99Ms: 0,
        lagMs: 0,
      }),
      suspend: () => void this.suspended++,
    })
  }

  nowMs(): number {
    return this.wallMs
  }

  sleep(_ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.resolve()
    return new Promise((resolve) => {
      const wake = () => {
        this.#sleepers.delete(wake)
        signal?.removeEventListener('abort', wake)
        resolve()
      }
      this.#sleepers.add(wake)
      signal?.addEventListener('abort', wake)
    })
  }

  async yield(): Promise<void> {}

  /** Starts to renew. */
  keep(): void {
    void this.lease.keep(this.#ending.signal, (error) => this.failures.push(error))
  }

  /** Time passes, and the process runs: in steps as long as its ticks. */
  async run(ms: number): Promise<void> {
    const step = LEASE_MS / 10
    for (let passed = 0; passed < ms; passed += step) {
      this.stop(step)
      for (const wake of this.#sleepers) wake()
      await settled()
    }
  }

  /** Time passes, and the process does not run. */
  stop(ms: number): void {
    this.monotonicMs += ms
    this.wallMs += ms
  }

  end(): void {
    this.#ending.abort()
  }
}

/** Everything that needs no timer has happened. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve()
}
