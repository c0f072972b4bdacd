// Knows which cell a user lives in. The placement is in memory; a newer one is learned by watching the control store and
// from cells that answer `moved`. While the control store is away it goes on with what it knows: a stale router costs one
// more hop, never a wrong answer, because every cell checks slot and epoch itself.

import { Homes, type Told } from '../../cells/model/homes.ts'
import { type CellName, ownersOf, type Placement } from '../../cells/model/placement.ts'
import type { UserKey } from '../../cells/model/user-key.ts'
import type { CellClient } from '../../cells/ports/cell-client.ts'
import type { Clock } from '../../cells/ports/clock.ts'
import type { ControlStore } from '../../cells/ports/control-store.ts'
import { decodePlacement, PLACEMENT_KEY } from './placement-document.ts'

const WATCH_RETRY_MS = 500

/** Finds the client of a cell; undefined while the cell does not serve. */
export type Connect = (cell: CellName) => CellClient | undefined

export class CellUnavailable extends Error {
  readonly code = 'CELL_UNAVAILABLE'
  override readonly name = 'CellUnavailable'
}

export class Router {
  readonly #connect: Connect
  readonly #homes: Homes
  #turn = 0

  constructor(placement: Placement, connect: Connect) {
    this.#homes = new Homes(placement)
    this.#connect = connect
  }

  get placement(): Placement {
    return this.#homes.placement
  }

  /** The owner of the user's slot. Throws CellUnavailable. */
  cellOf(user: UserKey): CellClient {
    return this.#client(this.#homes.of(user).cell)
  }

  /** The epoch by which `cellOf` chooses the cell of this user. */
  epochFor(user: UserKey): number {
    return this.#homes.of(user).epoch
  }

  /** The cell of that name. Throws CellUnavailable if it does not serve, or there is none. */
  cellNamed(name: CellName): CellClient {
    return this.#client(name)
  }

  /** Every cell that owns slots. Throws CellUnavailable if one of them does not serve. */
  cells(): CellClient[] {
    return ownersOf(this.placement).map((cell) => this.#client(cell))
  }

  /** Some cell that serves, in turn. Throws CellUnavailable when there is none. */
  anyCell(): CellClient {
    const names = this.placement.cells
    for (let tried = 0; tried < names.length; tried++) {
      const name = names[this.#turn++ % names.length]
      const client = name === undefined ? undefined : this.#connect(name)
      if (client !== undefined) return client
    }
    throw new CellUnavailable('no cell serves at the moment')
  }

  /** What a cell without the user's slot said. An older epoch than known is no news. */
  moved(user: UserKey, told: Told): void {
    this.#homes.told(user, told)
  }

  /** Replaces the placement if this one is newer. */
  take(placement: Placement): void {
    this.#homes.take(placement)
  }

  #client(cell: CellName): CellClient {
    const client = this.#connect(cell)
    if (client === undefined) throw new CellUnavailable(`cell ${cell} does not serve at the moment`)
    return client
  }
}

/** Keeps a router's placement up to date until the signal aborts; a control store that fails is asked again. */
export async function followPlacement(
  parts: { readonly control: ControlStore; readonly router: Router; readonly clock: Clock },
  options: { readonly signal: AbortSignal; readonly failed: (error: unknown) => void },
): Promise<void> {
  const { control, router, clock } = parts
  const { signal, failed } = options
  while (!signal.aborted) {
    try {
      // Watched before it is read: a change between the two would be missed.
      const changes = control.watch(PLACEMENT_KEY, signal)
      const now = await control.get(PLACEMENT_KEY)
      if (now !== undefined) router.take(decodePlacement(now.value).placement)
      for await (const entry of changes) {
        router.take(decodePlacement(entry.value).placement)
      }
    } catch (error) {
      failed(error)
    }
    if (!signal.aborted) await clock.sleep(WATCH_RETRY_MS, signal)
  }
}
