// Which cluster is put under faults: small and hasty, so that in a minute of load checkpoints, generations and their deliveries
// are always under way, and most of every dashboard comes from the stores.

export type ClusterPlan = {
  /** Where data and logs are. */
  readonly folder: string
  /** 1, or 3 with every event on all of them and acknowledged by two. */
  readonly brokers: 1 | 3
  readonly cells: number
}

/** What topics and keyspaces begin with. */
export const prefix = 'chaos'
export const partitions = 4
export const leaseMs = 3_000

export const cellFlags = {
  'checkpoint-interval': '200ms',
  'window-posts': 1_000,
  'generation-posts': 100,
  'generation-age': '2s',
  lease: `${leaseMs}ms`,
}
