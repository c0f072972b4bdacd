// What the cells deliver and what they pull, for operators.

import type { CellStatus } from '../../cells/ports/cell-client.ts'
import type { CellPolicy, GetPolicyResponse } from '../../gen/cellfeed/admin/v1/admin_service.ts'
import type { AdminDesk } from './admin-desk.ts'

export async function getPolicy({ reports }: AdminDesk): Promise<GetPolicyResponse> {
  const inOrder = [...reports()].sort((a, b) => (a.cell < b.cell ? -1 : 1))
  const answers = await Promise.allSettled(inOrder.map(async ({ client }) => client?.status()))
  const statuses = answers.flatMap((answer) =>
    answer.status === 'fulfilled' && answer.value !== undefined ? [answer.value] : [],
  )
  return { cells: statuses.map(wirePolicy) }
}

function wirePolicy(status: CellStatus): CellPolicy {
  return {
    cell: status.cell,
    decidedAgeMs: status.classesDecidedAgeMs,
    authorsDelivered: BigInt(status.authorsDelivered),
    authorsPulled: BigInt(status.authorsPulled),
    classChanges: BigInt(status.classChanges),
    readers: BigInt(status.readers),
    readersAway: BigInt(status.readersAway),
    watchers: BigInt(status.watchers),
    entriesPerS: status.entriesPerS,
    readsBelowWindowPerS: status.readsBelowWindowPerS,
    deliverAllUs: status.costDeliverAllUs,
    pullAllUs: status.costPullAllUs,
    asDecidedUs: status.costAsDecidedUs,
    pairsLeftOut: BigInt(status.pairsLeftOut),
    readersHeavy: BigInt(status.readersHeavy),
    readsInWindow: BigInt(status.readsInWindow),
    readsInInbox: BigInt(status.readsInInbox),
    readsBelowInbox: BigInt(status.readsBelowInbox),
    costs: {
      chainUs: status.costChainUs,
      walkedUs: status.costWalkedUs,
      edgeUs: status.costEdgeUs,
      entryUs: status.costEntryUs,
      entryBytes: status.costEntryBytes,
      pullUs: status.costPullUs,
      chunkUs: status.costChunkUs,
      inboxUs: status.costInboxUs,
    },
  }
}
