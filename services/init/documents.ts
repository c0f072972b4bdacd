// The documents of a cluster in its control store, as `init` makes them: the version of what it sets up, the placement, the
// log's identity, the secrets. Made once; what is there is compared.

import { z } from 'zod'
import type { ControlStore } from '../../cells/ports/control-store.ts'
import { pageTokenKeys } from '../controller/cluster-secrets.ts'
import { placementFor } from '../controller/first-placement.ts'
import { type ClusterLog, findLogIdentity, logIdentityFor } from '../controller/log-identity.ts'
import { decodePlacement, PLACEMENT_KEY } from '../router/placement-document.ts'
import type { InitReport } from './report.ts'

export const CELLS_DEFAULT = 2
const LAYOUT_KEY = 'layout'
const LAYOUT_VERSION = 1

const layoutOf = z.object({ version: z.int().positive() })

export type ClusterFound = {
  /** Names of the cells; undefined where there is no placement yet. */
  readonly cells: readonly string[] | undefined
  readonly log: ClusterLog | undefined
}

export async function findCluster(control: ControlStore): Promise<ClusterFound> {
  const placement = await control.get(PLACEMENT_KEY)
  const cells = placement && decodePlacement(placement.value).placement.cells
  return { cells, log: await findLogIdentity(control) }
}

/** Answers the names of the cells. */
export async function makeDocuments(
  control: ControlStore,
  wanted: { readonly cells: number | undefined; readonly log: Omit<ClusterLog, 'logId'> },
  report: InitReport,
): Promise<readonly string[]> {
  await makeLayout(control, report)
  const found = await findCluster(control)
  const tell = (isThere: boolean, what: string) =>
    isThere ? report.wasThere(what) : report.made(what)
  const cells = (await placementFor(control, wanted.cells)).placement.cells
  tell(found.cells !== undefined, `placement: ${cells.join(', ')}`)
  const log = await logIdentityFor(control, wanted.log)
  tell(found.log !== undefined, `log ${log.logId}, ${log.partitionsPerTopic} partitions a topic`)
  await pageTokenKeys(control)
  return cells
}

async function makeLayout(control: ControlStore, report: InitReport): Promise<void> {
  const found = await control.get(LAYOUT_KEY)
  if (found === undefined) {
    const value = Buffer.from(JSON.stringify({ version: LAYOUT_VERSION }))
    await control.compareAndSet(LAYOUT_KEY, 0, value)
    return
  }
  const { version } = layoutOf.parse(JSON.parse(Buffer.from(found.value).toString()))
  if (version > LAYOUT_VERSION) {
    report.problem(
      `the cluster has layout ${version}, this version makes up to ${LAYOUT_VERSION}: use a newer cellfeed`,
    )
  }
}
