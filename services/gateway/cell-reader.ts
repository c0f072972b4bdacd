// Reads from cells. A read goes to the viewer's cell; the answer `moved` is followed, and `late` becomes an error that says
// what is missing. A client sees neither cells nor moves.

import type { CellName } from '../../cells/model/placement.ts'
import type { Position } from '../../cells/model/position.ts'
import type { Answer, Call, CellClient } from '../../cells/ports/cell-client.ts'
import type { Router } from '../router/router.ts'
import type { Metrics } from '../runtime/metrics.ts'
import { ApiError } from './errors.ts'
import type { GatewayLimits } from './gateway-limits.ts'

export type Read<T> = { readonly value: T; readonly position: Position }
export type Late = Extract<Answer<unknown>, { readonly kind: 'late' }>
export type ReadCall = { readonly seen: Position; readonly signal: AbortSignal }

export class CellReader {
  readonly #router: Router
  readonly #limits: Pick<GatewayLimits, 'movedFollowedMax'>
  readonly #metrics: Metrics

  constructor(parts: {
    readonly router: Router
    readonly limits: Pick<GatewayLimits, 'movedFollowedMax'>
    readonly metrics: Metrics
  }) {
    this.#router = parts.router
    this.#limits = parts.limits
    this.#metrics = parts.metrics
  }

  /** Asks the viewer's home cell. */
  async asViewer<T>(
    call: Call,
    ask: (cell: CellClient, call: Call) => Promise<Answer<T>>,
  ): Promise<Read<T>> {
    for (let followed = 0; followed <= this.#limits.movedFollowedMax; followed++) {
      const cell = this.#router.cellOf(call.viewer)
      const answer = await ask(cell, { ...call, epoch: this.#router.epochFor(call.viewer) })
      if (answer.kind === 'ok') return answer
      if (answer.kind === 'late') throw lateError(answer, cell.cell, call.signal)
      this.#router.moved(call.viewer, answer)
      this.#metrics.movedFollowed.inc()
    }
    throw new ApiError('CELL_UNAVAILABLE', "the user's home moves at the moment")
  }

  /** Asks a cell that serves, for calls in nobody's name. */
  async asNobody<T>(
    { signal }: ReadCall,
    ask: (cell: CellClient) => Promise<Answer<T>>,
  ): Promise<Read<T>> {
    const cell = this.#router.anyCell()
    return settled(await ask(cell), cell, signal)
  }

  /** Asks one cell by its name. */
  async atCell<T>(
    name: CellName,
    { signal }: ReadCall,
    ask: (cell: CellClient) => Promise<Answer<T>>,
  ): Promise<Read<T>> {
    const cell = this.#router.cellNamed(name)
    return settled(await ask(cell), cell, signal)
  }

  /** Asks every cell; one that does not serve fails the read. */
  async ofAllCells<T>(
    { signal }: ReadCall,
    ask: (cell: CellClient) => Promise<Answer<T>>,
  ): Promise<Read<T>[]> {
    const cells = this.#router.cells()
    return Promise.all(cells.map(async (cell) => settled(await ask(cell), cell, signal)))
  }
}

function settled<T>(answer: Answer<T>, { cell }: CellClient, signal: AbortSignal): Read<T> {
  if (answer.kind === 'ok') return answer
  throw answer.kind === 'late' ? lateError(answer, cell, signal) : unavailable(cell)
}

/** A cell that gives up before the call's time is over is about to stop. */
export function lateError(late: Late, cell: string, signal: AbortSignal): ApiError {
  return signal.aborted ? notReached(late, cell) : unavailable(cell)
}

export function unavailable(cell: string): ApiError {
  return new ApiError('CELL_UNAVAILABLE', `cell ${cell} does not serve at the moment`)
}

/** Names the partition that is furthest behind, and how many more there are. */
function notReached(late: Late, cell: string): ApiError {
  const behind = late.missing
    .map((wanted, partition) => ({ partition, wanted, applied: late.position[partition] ?? 0 }))
    .filter(({ wanted, applied }) => wanted > applied)
    .sort((a, b) => b.wanted - b.applied - (a.wanted - a.applied))
  const [furthest] = behind
  if (furthest === undefined) {
    return new ApiError('CONSISTENCY_NOT_REACHED', `cell ${cell} did not catch up in time`)
  }
  const { partition, wanted, applied } = furthest
  const others = behind.length > 1 ? ` (and ${behind.length - 1} more partitions)` : ''
  const message = `cell ${cell} has applied partition ${partition} up to offset ${applied}, not yet to ${wanted}${others}`
  return new ApiError('CONSISTENCY_NOT_REACHED', message, {
    metadata: { partition, wanted_offset: wanted, applied_offset: applied, cell },
  })
}
