// A cell as a process of its own, on engines that are open already.

import type { Closing } from '../runtime/closing.ts'
import { EXIT_FAILED, EXIT_USAGE } from '../runtime/lifecycle.ts'
import { type Output, type Running, StartFailure } from '../runtime/run-process.ts'
import type { CellName, Placement } from '../../cells/model/placement.ts'
import type { Donor } from '../../cells/ports/donor.ts'
import {
  type CellProcess,
  type CellProcessOptions,
  type CellProcessPorts,
  openCell,
} from './open-cell.ts'
import { gapClosed, rebuildCell } from './rebuild-cell.ts'

/** Throws StartFailure for a name that the placement does not have. */
export function assertKnown(name: CellName, placement: Placement): void {
  const known = placement.cells
  if (known.includes(name)) return
  const line = `${name} is no cell of this cluster, which has ${known.join(', ')}: name one of them with --name`
  throw new StartFailure(line, EXIT_USAGE)
}

export type StartCellOptions = CellProcessOptions & {
  /** Where posts are copied from before the cell starts; undefined: it starts as it is. */
  readonly openDonor: (() => Promise<Donor>) | undefined
  readonly acceptLoss: boolean
  readonly note: Output['note']
}

/** Resolves when the cell serves. What it opened is in `closing`, also when it throws; it throws soon after `stopping` aborts. */
export async function startCell(
  ports: CellProcessPorts,
  options: StartCellOptions,
  { closing, stopping }: { readonly closing: Closing; readonly stopping: AbortSignal },
): Promise<Running> {
  const process = await openCell(ports, options, closing)
  const stop = () => void process.stop()
  stopping.addEventListener('abort', stop, { once: true })
  const takenOver = process.takenOver.then((line) => {
    throw new StartFailure(line, EXIT_FAILED)
  })
  takenOver.catch(() => undefined)
  await Promise.race([startAndServe(process, ports, options, stopping), takenOver])
  stopping.removeEventListener('abort', stop)
  return {
    ready: `${options.name} at ${process.address}, metrics http://${process.statusAddress}/metrics`,
    superseded: process.takenOver,
  }
}

async function startAndServe(
  process: CellProcess,
  ports: CellProcessPorts,
  { name, placement, limits, openDonor, acceptLoss, note }: StartCellOptions,
  signal: AbortSignal,
): Promise<void> {
  const { clock, firehose, store } = ports
  if (openDonor !== undefined) {
    const donor = await openDonor()
    const boot = await process.nextBoot()
    await rebuildCell(
      { firehose, store, donor, clock },
      { name, boot, placement, limits, signal, onProgress: process.noteFilling },
      note,
    )
  }
  await process.start()
  await gapClosed({ cell: process.cell, clock }, { acceptLoss, signal }, note)
}
