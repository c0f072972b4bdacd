// How a process that is no cell finds and reaches the cells: the placement, where each cell said that it is, and one connection
// to each.

import type { CellName } from '../../cells/model/placement.ts'
import type { CellClient } from '../../cells/ports/cell-client.ts'
import type { Clock } from '../../cells/ports/clock.ts'
import type { ControlStore } from '../../cells/ports/control-store.ts'
import type { CellReport } from '../cell/cell-report.ts'
import { CELL_STREAM_LIMITS } from '../cell/cell-stream-limits.ts'
import type { Closing } from '../runtime/closing.ts'
import { channelCredentials } from '../runtime/grpc-tls.ts'
import { inBackground } from '../runtime/in-background.ts'
import type { Logger } from '../runtime/log.ts'
import { noCluster } from '../runtime/no-cluster.ts'
import type { ProcessTls } from '../runtime/process-flags.ts'
import { CellPool } from './cell-pool.ts'
import { CellRegistry } from './cell-registry.ts'
import { decodePlacement, PLACEMENT_KEY, type PlacementDocument } from './placement-document.ts'
import { Router } from './router.ts'

export type OpenedCells = {
  readonly document: PlacementDocument
  readonly router: Router
  readonly registry: CellRegistry
  readonly connect: (cell: CellName) => CellClient | undefined
  /** Of every cell of the placement. */
  readonly reports: () => CellReport[]
}

/** Throws StartFailure: the cluster was never set up. */
export async function readPlacement(control: ControlStore): Promise<PlacementDocument> {
  const found = await control.get(PLACEMENT_KEY)
  if (found === undefined) throw noCluster()
  return decodePlacement(found.value)
}

/** What it opened is in `closing`, also when it throws. Throws StartFailure. */
export async function openCells(
  parts: {
    readonly control: ControlStore
    readonly clock: Clock
    readonly log: Logger
    readonly tls: ProcessTls | undefined
  },
  closing: Closing,
): Promise<OpenedCells> {
  const { control, clock, log, tls } = parts
  const document = await readPlacement(control)
  const registry = new CellRegistry({ control, clock })
  await registry.load(document.placement.cells)
  const pool = new CellPool({
    addressOf: (cell) => registry.addressOf(cell),
    credentials: channelCredentials(tls),
    clock,
    limits: CELL_STREAM_LIMITS,
    log,
  })
  closing.add(async () => pool.close())
  const connect = (cell: CellName) => pool.connect(cell)
  const router = new Router(document.placement, connect)
  closing.add(
    inBackground(log, {
      'follow cells': (signal, failed) =>
        registry.followAll(() => router.placement.cells, signal, failed),
    }),
  )
  const reports = () => router.placement.cells.map((cell) => registry.report(cell, connect))
  return { document, router, registry, connect, reports }
}
