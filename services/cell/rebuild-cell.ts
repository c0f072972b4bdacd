// `cellfeed cell --rebuild`: before the cell starts, its posts are brought back from a donor, and what nobody saw of relations is told
// to whoever started it. `--accept-loss` closes that gap; until somebody does, the cell does not serve.

import type { Cell, CellOptions } from '../../cells/activities/cell.ts'
import { NothingToRebuild, Rebuild, type RebuildPorts } from '../../cells/activities/rebuild.ts'
import { gapText } from '../../cells/model/gap.ts'
import type { CellName, Placement } from '../../cells/model/placement.ts'
import type { Clock } from '../../cells/ports/clock.ts'
import type { Firehose } from '../../cells/ports/firehose.ts'
import { cellsOf } from '../router/placement-document.ts'
import { EXIT_FAILED, EXIT_USAGE } from '../runtime/lifecycle.ts'
import { messageOf, type Output, StartFailure } from '../runtime/run-process.ts'

const LOOK_MS = 500

/** The cell to copy from: the named one, or any other. Throws StartFailure. */
export function donorOf(name: CellName, given: CellName | undefined, placement: Placement) {
  const others = cellsOf(placement).filter((cell) => cell !== name)
  const donor = given ?? others[0]
  if (donor !== undefined && others.includes(donor)) return donor
  const line =
    others.length === 0
      ? `${name} is the only cell of this cluster: there is no other to copy posts from`
      : `${donor} can not be the donor of ${name}: name one of ${others.join(', ')} with --donor`
  throw new StartFailure(line, EXIT_USAGE)
}

/** Throws StartFailure when the donor can not help. A cell that needs no rebuild starts as it is. */
export async function rebuildCell(
  ports: RebuildPorts,
  options: CellOptions & { readonly signal: AbortSignal },
  note: Output['note'],
): Promise<void> {
  note(`${options.name}: is rebuilt from the posts of another cell`)
  try {
    const { posts, readersAdded } = await new Rebuild(ports, options).run()
    note(`${options.name}: ${posts} posts copied, ${readersAdded} readers added`)
  } catch (error) {
    if (error instanceof NothingToRebuild) {
      note(`${options.name}: ${error.message}`)
      return
    }
    throw new StartFailure(`could not rebuild ${options.name}: ${messageOf(error)}`, EXIT_FAILED, {
      cause: error,
    })
  }
}

/** Resolves when no gap is open, or when the signal aborts. */
export async function gapClosed(
  parts: {
    readonly cell: () => Cell | undefined
    readonly firehose: Firehose
    readonly clock: Clock
  },
  options: { readonly acceptLoss: boolean; readonly signal: AbortSignal },
  note: Output['note'],
): Promise<void> {
  const { clock, firehose } = parts
  const { acceptLoss, signal } = options
  let isTold = false
  while (!signal.aborted) {
    const cell = parts.cell()
    const { openGap = [] } = (await cell?.status()) ?? {}
    if (cell === undefined || openGap.length === 0) return
    if (!isTold)
      note(`${cell.cell}: relations of these stretches were seen by nobody:\n${gapText(openGap)}`)
    isTold = true
    if (acceptLoss) {
      await cell.closeGap({ seen: (await firehose.bounds()).end, signal })
      note(`${cell.cell}: their loss is accepted`)
      return
    }
    await clock.sleep(LOOK_MS, signal)
  }
}
