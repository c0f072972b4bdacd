// `cellfeed cell --rebuild`: before the cell starts, its posts are brought back from a donor, and what nobody saw of relations is told
// to whoever started it. `--accept-loss` closes that gap; until somebody does, the cell does not serve.

import type { Cell } from '../../cells/activities/cell.ts'
import {
  NothingToRebuild,
  Rebuild,
  type RebuildOptions,
  type RebuildPorts,
} from '../../cells/activities/rebuild.ts'
import type { GapPart } from '../../cells/model/gap.ts'
import type { CellName, Placement } from '../../cells/model/placement.ts'
import type { Clock } from '../../cells/ports/clock.ts'
import { EXIT_FAILED, EXIT_USAGE } from '../runtime/lifecycle.ts'
import { messageOf, type Output, StartFailure } from '../runtime/run-process.ts'

const LOOK_MS = 500

/** The cell to copy from: the named one, or any other. Throws StartFailure. */
export function donorOf(name: CellName, given: CellName | undefined, placement: Placement) {
  const others = placement.cells.filter((cell) => cell !== name)
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
  options: RebuildOptions,
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
  parts: { readonly cell: () => Cell | undefined; readonly clock: Clock },
  options: { readonly acceptLoss: boolean; readonly signal: AbortSignal },
  note: Output['note'],
): Promise<void> {
  const { acceptLoss, signal } = options
  const first = parts.cell()
  if (first?.hasOpenGap !== true) return
  const { openGap } = await first.status()
  note(`${first.cell}: nobody saw the relations of\n${gapText(openGap)}`)
  if (acceptLoss) {
    await first.closeGap({ seen: [], signal })
    note(`${first.cell}: their loss is accepted`)
    return
  }
  note(`${first.cell}: serves once "cellfeed reconcile", or --accept-loss, has closed that gap`)
  while (!signal.aborted && parts.cell()?.hasOpenGap === true) {
    await parts.clock.sleep(LOOK_MS, signal)
  }
}

/** One stretch a line. */
function gapText(parts: readonly GapPart[]): string {
  return parts
    .map(({ partition, fromOffset, toOffset, fromMs, toMs }) => {
      const times = [fromMs, toMs].map((ms) => new Date(ms).toISOString()).join(' to ')
      return `partition ${partition}: offsets ${fromOffset} to ${toOffset}, ${times}`
    })
    .join('\n')
}
