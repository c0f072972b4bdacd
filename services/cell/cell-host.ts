// Keeps one cell running. A cell that fails is an error of its own: it is started anew, with a new boot number and after a
// growing pause, while the cells beside it go on. Whoever asks for it meanwhile is told that it does not serve.
//
//     loading --> serving --> draining --> stopped
//        ^           |
//        +- refusing-+   (waits, then loads again)

import type { CellName } from '../../cells/model/placement.ts'
import type { CellClient, Loading } from '../../cells/ports/cell-client.ts'
import type { Clock } from '../../cells/ports/clock.ts'
import type { Logger } from '../runtime/log.ts'
import type { CellReport, CellState } from './cell-report.ts'

export type HostedCell = CellClient & {
  /** Resolves when the cell has caught up and serves. */
  start(): Promise<void>
  stop(): Promise<void>
  /** Resolves with the error that stopped it. */
  readonly failure: Promise<Error>
  /** How far the start is. */
  readonly loading?: Loading | undefined
}
export type HostState = Exclude<CellState, 'unreachable'>
export type CellHostParts = {
  readonly clock: Clock
  /** With the cell's name bound. */
  readonly log: Logger
  /** Of the program, for reports. */
  readonly version: string
  readonly nextBoot: () => Promise<number>
  readonly create: (boot: number) => HostedCell
  readonly restarted: () => void
}

const RESTART_MS = 500
const RESTART_MAX_MS = 30_000
/** In which whoever finds the cell dead gives its users to another one. */
const ACT_MS = 2_000

export class CellHost {
  readonly cell: CellName
  readonly #parts: CellHostParts
  readonly #stopping = new AbortController()
  #current: HostedCell | undefined
  #state: HostState = 'loading'
  #detail = ''
  #boot = 0
  #startedAtMs = 0
  #watch: Promise<void> = Promise.resolve()
  #loadsAtMs = 0
  /** Of what is done before the first start. */
  #filling: Loading | undefined

  constructor(cell: CellName, parts: CellHostParts) {
    this.cell = cell
    this.#parts = parts
  }

  /** How far somebody is who fills the cell's store before it is started. */
  noteFilling(loading: Loading): void {
    this.#filling = loading
  }

  /** The first start. Rejects with what stopped it; nothing is tried again then. */
  async start(): Promise<void> {
    const first = this.#load()
    // A stop waits for the start to end: there is no cell to stop before.
    this.#watch = first.then(
      (cell) => this.#keep(cell),
      () => undefined,
    )
    await first
  }

  /** After a start that was rejected: it is tried again and again, as after any other failure. */
  retry(error: unknown): void {
    this.#refused(error)
    this.#watch = this.#keep(undefined)
  }

  /** Whether it serves nobody, and will not for the next two seconds: it has failed some times. */
  get isDead(): boolean {
    return this.#state === 'refusing' && this.#loadsAtMs - this.#parts.clock.nowMs() >= ACT_MS
  }

  get client(): CellClient | undefined {
    return this.#state === 'serving' ? this.#current : undefined
  }

  report(): CellReport & { readonly state: HostState; readonly memoryBytes: number } {
    return {
      cell: this.cell,
      state: this.#state,
      detail: this.#detail,
      boot: this.#boot,
      startedAtMs: this.#startedAtMs,
      loading: this.#state === 'loading' ? (this.#current?.loading ?? this.#filling) : undefined,
      version: this.#parts.version,
      memoryBytes: process.memoryUsage.rss(),
      client: this.client,
    }
  }

  /** A start that has not ended rejects. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    if (this.#state === 'loading') await this.#current?.stop()
    await this.#watch
    this.#state = 'stopped'
  }

  async #load(): Promise<HostedCell> {
    this.#state = 'loading'
    this.#boot = await this.#parts.nextBoot()
    this.#startedAtMs = this.#parts.clock.nowMs()
    const cell = this.#parts.create(this.#boot)
    this.#current = cell
    this.#filling = undefined
    await Promise.race([cell.start(), cell.failure.then((error) => Promise.reject(error))])
    this.#state = 'serving'
    this.#detail = ''
    this.#parts.log.info({ boot: this.#boot }, 'cell serves')
    return cell
  }

  /** Waits for the cell to fail, and brings it back, until the host stops. */
  async #keep(first: HostedCell | undefined): Promise<void> {
    const { signal } = this.#stopping
    const stopped = new Promise<'stopped'>((resolve) => {
      signal.addEventListener('abort', () => resolve('stopped'))
      if (signal.aborted) resolve('stopped')
    })
    let cell = first
    let pauseMs = RESTART_MS
    while (!signal.aborted) {
      if (cell !== undefined) {
        const end: Error | 'stopped' = await Promise.race([cell.failure, stopped])
        if (end === 'stopped') break
        this.#refused(end)
        pauseMs = RESTART_MS
      }
      this.#loadsAtMs = this.#parts.clock.nowMs() + pauseMs
      await this.#parts.clock.sleep(pauseMs, signal)
      if (signal.aborted) return
      pauseMs = Math.min(pauseMs * 2, RESTART_MAX_MS)
      cell = await this.#loadAgain()
    }
    this.#state = 'draining'
    await cell?.stop()
  }

  async #loadAgain(): Promise<HostedCell | undefined> {
    this.#parts.restarted()
    try {
      return await this.#load()
    } catch (error) {
      this.#refused(error)
      return undefined
    }
  }

  #refused(error: unknown): void {
    this.#state = 'refusing'
    this.#detail = error instanceof Error ? error.message : String(error)
    this.#parts.log.error({ boot: this.#boot, err: error }, 'cell stopped')
  }
}
