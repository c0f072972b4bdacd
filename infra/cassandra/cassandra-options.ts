// How to reach Cassandra, and what the keyspaces of a cluster are called there.

import type { CellName } from '../../cells/model/placement.ts'
import type { TlsOptions } from '../connection/tls-options.ts'

export type CassandraOptions = {
  /** host:port each, some of the nodes. */
  readonly contactPoints: readonly string[]
  readonly localDataCenter: string
  /** Keyspaces are `<prefix>_control` and `<prefix>_<cell>`. */
  readonly prefix: string
  readonly credentials: { readonly username: string; readonly password: string } | undefined
  readonly tls: TlsOptions | undefined
  /** How many replicas must have answered; of reads and writes. By default a quorum of the local data center. */
  readonly consistency?: CassandraConsistency
}

/** Only quorums: with less, a read could miss what was written. */
export type CassandraConsistency = 'localQuorum' | 'quorum'

/** Letters, digits and underscores only: what keyspaces may be called. */
export function controlKeyspace(prefix: string): string {
  return keyspaceName(`${prefix}_control`)
}

export function cellKeyspace(prefix: string, cell: CellName): string {
  return keyspaceName(`${prefix}_${cell}`)
}

function keyspaceName(text: string): string {
  return text.toLowerCase().replaceAll(/[^a-z0-9_]/g, '_')
}
