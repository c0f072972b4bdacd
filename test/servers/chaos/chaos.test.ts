// The short form of `make chaos`: some faults on real servers, each followed by the checker that knows every acknowledged write.
// The servers are this test's own, as it hurts them.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect } from '../../../services/client/connect.ts'
import { type ChaosCluster, startChaosCluster } from '../../chaos/cluster/chaos-cluster.ts'
import { shortFaultsOf } from '../../chaos/faults/fault-list.ts'
import { truncatedBehind } from '../../chaos/faults/refusals.ts'
import { printReport } from '../../chaos/print-report.ts'
import { ChaosRun, shortLoad } from '../../chaos/run-chaos.ts'

const withinMs = 600_000

let folder: string
let cluster: ChaosCluster
let run: ChaosRun

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cellfeed-chaos-'))
  cluster = await startChaosCluster({ folder, brokers: 1, cells: 2 })
  run = await ChaosRun.begin({ ...shortLoad, address: cluster.address, seed: 1 })
}, withinMs)

afterAll(async () => {
  await run?.end()
  await cluster?.stop()
  await rm(folder, { recursive: true, force: true })
}, withinMs)

test(
  'nothing acknowledged is lost, doubled or brought back by a killed cell, killed engines and an emptied cache',
  async () => {
    for (const fault of shortFaultsOf(cluster)) {
      const report = await run.under(fault)
      printReport(report, console.log)
      expect(report.tally.findings).toEqual([])
      expect(report.tally.writes.acknowledged).toBeGreaterThanOrEqual(2 * shortLoad.writesBetween)
    }
  },
  withinMs,
)

test(
  'a cell behind which the log was truncated refuses to start, and says the way out',
  async () => {
    const feed = connect(cluster.address)
    try {
      const { said } = await truncatedBehind(cluster, feed)
      expect(said).toContain('--rebuild')
    } finally {
      feed.close()
    }
  },
  withinMs,
)
