// `cellfeed cell --rebuild`: before the cell starts, its posts are copied from another cell, as the log no longer holds what it needs.

import { Rebuild } from '../../cells/activities/rebuild.ts'
import { gapText } from '../../cells/model/gap.ts'
import type { CellLimits } from '../../cells/model/cell-limits.ts'
import type { CellName, Placement } from '../../cells/model/placement.ts'
import type { CellStore } from '../../cells/ports/cell-store.ts'
import type { Clock } from '../../cells/ports/clock.ts'
import type { ControlStore } from '../../cells/ports/control-store.ts'
import type { Donor } from '../../cells/ports/donor.ts'
import type { Firehose } from '../../cells/ports/firehose.ts'
import { nextBoot } from '../controller/boots.ts'
import { cellsOf } from '../router/placement-document.ts'
import { EXIT_FAILED, EXIT_USAGE } from '../runtime/lifecycle.ts'
import type { Logger } from '../runtime/log.ts'
import { StartFailure } from '../runtime/run-process.ts'

export type RebuildCellPorts = {
  readonly firehose: Firehose
  readonly store: CellStore
  readonly donor: Donor
  readonly control: ControlStore
  readonly clock: Clock
}
export type RebuildCellOptions = {
  readonly name: CellName
  readonly placement: Placement
  readonly limits: CellLimits
  readonly log: Logger
  readonly signal: AbortSignal
}

/** The cell to copy from: the one named, else the first other one. Throws StartFailure when there is none. */
export function donorOf(
  { name, placement }: Pick<RebuildCellOptions, 'name' | 'placement'>,
  given: CellName | undefined,
): CellName {
  const others = cellsOf(placement).filter((cell) => cell !== name)
  const donor = given ?? others[0]
  if (donor !== undefined && others.includes(donor)) return donor
  const why = given === undefined ? 'there is no other cell' : `${given} is none of the other cells`
  throw new StartFailure(`--rebuild copies posts from another cell: ${why}`, EXIT_USAGE)
}

/** Resolves when the cell can start; at once when it needs no rebuild. Throws StartFailure when no donor helps. */
export async function rebuildCell(
  ports: RebuildCellPorts,
  options: RebuildCellOptions,
): Promise<void> {
  const { log } = options
  const boot = await nextBoot(ports.control)
  log.info({ boot }, 'rebuild begins')
  try {
    const { gap, ...report } = await new Rebuild(ports, { ...options, boot }).run()
    log.info({ boot, ...report }, 'rebuild is done')
    log.warn(
      { gap: gapText(gap) },
      'nobody saw these relations: reconcile them, or accept the loss',
    )
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error
    if (error.code === 'NOTHING_TO_REBUILD') {
      log.info({ boot }, error.message)
      return
    }
    const isExpected = error.code === 'DONOR_UNUSABLE' || error.code === 'FIREHOSE_GAP'
    if (isExpected) throw new StartFailure(error.message, EXIT_FAILED)
    throw error
  }
}
