// The right to make ids under one worker number. Two gateways with one number could make the same id twice, so numbers are
// leased in the control store. A lease says up to which *id time* its holder may go, so it rests on no clock: who takes
// a number over begins above that, and a process that restarts at once simply takes another number.
//
//     worker 7:  ---- holder A makes ids ----|until A|---- holder B begins here ----|until B|

import { z } from 'zod'
import { IdAllocator } from '../../cells/model/id-allocator.ts'
import { type EventId, type PostId, WORKER_MAX } from '../../cells/model/post-id.ts'
import type { Clock } from '../../cells/ports/clock.ts'
import type { ControlStore } from '../../cells/ports/control-store.ts'
import { ApiError } from './errors.ts'

const WORKERS_KEY = 'workers'
export const LEASE_MS = 600_000
const RENEW_MS = 60_000
const RETRY_MS = 1_000
const TRIES_MAX = 100

/** Per worker number ever leased: no id of a later millisecond has been made under it. */
type Leases = Record<string, number>
const leasesOf = z.record(z.string().regex(/^\d+$/), z.number())

export class WorkerLease {
  readonly worker: number
  readonly #control: ControlStore
  readonly #clock: Clock
  readonly #allocator: IdAllocator
  #untilMs: number

  private constructor(
    parts: { readonly control: ControlStore; readonly clock: Clock },
    lease: { readonly worker: number; readonly untilMs: number },
  ) {
    this.#control = parts.control
    this.#clock = parts.clock
    this.worker = lease.worker
    this.#untilMs = lease.untilMs
    this.#allocator = new IdAllocator(lease.worker)
  }

  /** Leases a number whose earlier lease ended by this clock. */
  static async take(parts: {
    readonly control: ControlStore
    readonly clock: Clock
  }): Promise<WorkerLease> {
    const nowMs = parts.clock.nowMs()
    const untilMs = nowMs + LEASE_MS
    let taken = -1
    await change(parts.control, (leases) => {
      taken = freeWorker(leases, nowMs)
      return { ...leases, [taken]: untilMs }
    })
    return new WorkerLease(parts, { worker: taken, untilMs })
  }

  postId(): PostId {
    return this.#allocate() as PostId
  }

  eventId(): EventId {
    return this.#allocate() as EventId
  }

  /** Renews the lease in time until the signal aborts, then gives the number back. */
  async keep(signal: AbortSignal, failed: (error: unknown) => void): Promise<void> {
    while (!signal.aborted) {
      await this.#clock.sleep(RENEW_MS, signal)
      while (!signal.aborted && !(await this.#renew(failed))) {
        await this.#clock.sleep(RETRY_MS, signal)
      }
    }
    await this.#extend(Math.max(this.#allocator.newestMs, 0) + 1).catch(failed)
  }

  async #renew(failed: (error: unknown) => void): Promise<boolean> {
    try {
      await this.#extend(Math.max(this.#clock.nowMs() + LEASE_MS, this.#untilMs))
      return true
    } catch (error) {
      failed(error)
      return false
    }
  }

  async #extend(untilMs: number): Promise<void> {
    await change(this.#control, (leases) => ({ ...leases, [this.worker]: untilMs }))
    this.#untilMs = untilMs
  }

  #allocate(): bigint {
    const nowMs = this.#clock.nowMs()
    if (Math.max(nowMs, this.#allocator.newestMs) + 1 < this.#untilMs) {
      return this.#allocator.allocate(nowMs)
    }
    const message = 'this server could not renew its right to make ids'
    throw new ApiError('IDS_UNAVAILABLE', message)
  }
}

/** The number that is free for longest: never leased, or with the earliest end. */
function freeWorker(leases: Leases, nowMs: number): number {
  let best: { worker: number; untilMs: number } | undefined
  for (let worker = 0; worker <= WORKER_MAX; worker++) {
    const untilMs = leases[worker] ?? Number.NEGATIVE_INFINITY
    if (best === undefined || untilMs < best.untilMs) best = { worker, untilMs }
  }
  if (best === undefined || best.untilMs >= nowMs) {
    throw new Error(`all ${WORKER_MAX + 1} worker numbers are leased`)
  }
  return best.worker
}

async function change(control: ControlStore, to: (leases: Leases) => Leases): Promise<void> {
  for (let tried = 0; tried < TRIES_MAX; tried++) {
    const entry = await control.get(WORKERS_KEY)
    const leases = entry === undefined ? {} : leasesOf.parse(JSON.parse(text(entry.value)))
    const value = Buffer.from(JSON.stringify(to(leases)))
    if ((await control.compareAndSet(WORKERS_KEY, entry?.revision ?? 0, value)) !== undefined)
      return
  }
  throw new Error(`no worker number after ${TRIES_MAX} tries: others change them all the time`)
}

function text(value: Uint8Array): string {
  return Buffer.from(value).toString()
}
