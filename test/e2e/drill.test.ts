// The short form of `make drill` on the cluster in one process: users move to a cell that is added while the process is killed.

import { afterEach, beforeEach, expect, test } from 'vitest'
import type { DrilledCluster } from '../drill/cluster/drilled-cluster.ts'
import { startEmbedded } from '../drill/cluster/on-embedded.ts'
import { play } from '../drill/play.ts'
import { SHORT_LOAD } from '../drill/stage.ts'

const withinMs = 300_000

let cluster: DrilledCluster
beforeEach(async () => {
  cluster = await startEmbedded(2)
}, withinMs)
afterEach(() => cluster.stop(), withinMs)

test(
  'no read fails because of a move, and every dashboard is whole, whatever is killed',
  async () => {
    const seed = Math.floor(Math.random() * 1e6)
    console.log(`seed ${seed}`)
    const plan = {
      seed,
      from: 1,
      rounds: 2,
      withinMs,
      awayMsMax: 500,
      standbyEvery: Number.POSITIVE_INFINITY,
    }
    const { reports, broken } = await play(cluster, { ...plan, load: SHORT_LOAD }, console.log)
    expect(broken).toBeUndefined()
    expect(reports).toHaveLength(2)
    for (const { reads, verdict } of reports) {
      expect(reads.latenciesMs.length).toBeGreaterThan(0)
      expect(verdict.dashboards).toBe(SHORT_LOAD.users)
    }
  },
  withinMs,
)
