// A cell as a process of its own, on engines that are open already.

import type { Closing } from '../runtime/closing.ts'
import { EXIT_FAILED, EXIT_USAGE } from '../runtime/lifecycle.ts'
import { type Running, StartFailure } from '../runtime/run-process.ts'
import type { CellName, Placement } from '../../cells/model/placement.ts'
import { cellsOf } from '../router/placement-document.ts'
import { type CellProcessOptions, type CellProcessPorts, openCell } from './open-cell.ts'

/** Throws StartFailure for a name that the placement does not have. */
export function assertKnown(name: CellName, placement: Placement): void {
  const known = cellsOf(placement)
  if (known.includes(name)) return
  const line = `${name} is no cell of this cluster, which has ${known.join(', ')}: name one of them with --name`
  throw new StartFailure(line, EXIT_USAGE)
}

/** Resolves when the cell serves. What it opened is in `closing`, also when it throws; it throws soon after `stopping` aborts. */
export async function startCell(
  ports: CellProcessPorts,
  options: CellProcessOptions,
  { closing, stopping }: { readonly closing: Closing; readonly stopping: AbortSignal },
): Promise<Running> {
  const process = await openCell(ports, options, closing)
  const stop = () => void process.stop()
  stopping.addEventListener('abort', stop, { once: true })
  const takenOver = process.takenOver.then((line) => {
    throw new StartFailure(line, EXIT_FAILED)
  })
  takenOver.catch(() => undefined)
  await Promise.race([process.start(), takenOver])
  stopping.removeEventListener('abort', stop)
  return {
    ready: `${options.name} at ${process.address}, metrics http://${process.statusAddress}/metrics`,
    superseded: process.takenOver,
  }
}
