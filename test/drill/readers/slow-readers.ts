// Slow readers of some quarters, who walk on and on while something is done to the cluster.

import type { Quarter } from '../reads/homes.ts'
import type { Stage } from '../stage.ts'
import { type PagedWalk, pageOnAndOn } from './pager.ts'

const READERS_MAX = 3

export async function whileSomeRead<T>(
  stage: Stage,
  reading: {
    readonly round: number
    readonly quarters: readonly Quarter[]
    readonly patience: AbortSignal
  },
  work: () => Promise<T>,
): Promise<T & { readonly walks: readonly PagedWalk[] }> {
  const { round, quarters, patience } = reading
  const ending = new AbortController()
  const walking = quarters
    .flatMap((quarter) => stage.usersIn(quarter))
    .slice(0, READERS_MAX)
    .map((viewer) => {
      const session = `${viewer} in round ${round}`
      return pageOnAndOn(stage.load, { viewer, session, ending: ending.signal, patience })
    })
  const [done, walks] = await Promise.all([
    work().finally(() => ending.abort()),
    Promise.all(walking),
  ])
  return { ...done, walks: walks.flat() }
}
