// Goes through every crash of a seed: each way a move can end, each victim, each thing that it does meanwhile.

import { CrashStory, type CrashPoint, type Victim, VICTIMS, type Way, WAYS } from './crash-story.ts'
import { type Outcome, simulate } from './simulate.ts'
import type { MakeCell } from './simulated-cell.ts'

export type Crashes = {
  readonly way: Way
  readonly victim: Victim
  readonly at: CrashPoint['at']
  readonly crashes: number
  /** The first crash that something came of, and what. */
  readonly found: { readonly nth: number; readonly outcome: Outcome } | undefined
}

/** `every`: each how manyth thing only. */
export async function* crashesOf(
  seed: number,
  { makeCell, every = 1 }: { readonly makeCell: MakeCell; readonly every?: number },
): AsyncGenerator<Crashes> {
  for (const way of WAYS) {
    for (const victim of VICTIMS) {
      // A controller has done what it waited for, or it has not: its calls have no end of their own here.
      const moments =
        victim === 'controller' ? (['issue'] as const) : (['issue', 'acknowledge'] as const)
      for (const at of moments)
        yield await crashesAt(seed, { way, victim, at }, { makeCell, every })
    }
  }
}

async function crashesAt(
  seed: number,
  where: Omit<CrashPoint, 'nth'>,
  { makeCell, every }: { readonly makeCell: MakeCell; readonly every: number },
): Promise<Crashes> {
  for (let nth = seed % every, crashes = 0; ; nth += every, crashes++) {
    const { hasCrashed, outcome } = await crashAt(seed, { ...where, nth }, { makeCell })
    if (outcome.violation !== undefined) return { ...where, crashes, found: { nth, outcome } }
    if (!hasCrashed) return { ...where, crashes, found: undefined }
  }
}

export async function crashAt(
  seed: number,
  point: CrashPoint,
  options: { readonly makeCell: MakeCell; readonly keepsTrace?: boolean },
): Promise<{ readonly hasCrashed: boolean; readonly outcome: Outcome }> {
  const story = new CrashStory(point)
  const outcome = await simulate(seed, { ...options, tell: (world) => story.tell(world) })
  return { hasCrashed: story.hasCrashed, outcome }
}
