// The short form of `make drill` on real servers: two moves through kills, and two cells whose users a standby takes over.

import { existsSync } from 'node:fs'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { cliPath } from '../../../tools/demo/cluster-process.ts'
import type { DrilledCluster } from '../../drill/cluster/drilled-cluster.ts'
import { startOnServers } from '../../drill/cluster/on-servers.ts'
import { play } from '../../drill/play.ts'
import { SHORT_LOAD } from '../../drill/stage.ts'

const withinMs = 1_200_000

let cluster: DrilledCluster
beforeAll(async () => {
  if (!existsSync(cliPath)) throw new Error('not built: run make build first')
  cluster = await startOnServers(inject('engines'), 2)
}, withinMs)
afterAll(() => cluster?.stop(), withinMs)

test(
  'no read fails because of a move or a takeover, and every dashboard is whole, whatever is killed',
  async () => {
    const seed = Math.floor(Math.random() * 1e6)
    console.log(`seed ${seed}`)
    const plan = { seed, from: 1, rounds: 4, withinMs, awayMsMax: 5_000, standbyEvery: 2 }
    const { reports, broken } = await play(cluster, { ...plan, load: SHORT_LOAD }, console.log)
    expect(broken).toBeUndefined()
    expect(reports).toHaveLength(4)
    const takenOver = reports.filter(({ servedAfterMs }) => servedAfterMs !== undefined)
    expect(takenOver.map(({ ended }) => ended)).toEqual(['went home', 'went home'])
    for (const { verdict } of reports) expect(verdict.dashboards).toBe(SHORT_LOAD.users)
  },
  withinMs,
)
