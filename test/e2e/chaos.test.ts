// The faults and the checker of `make chaos` on the cluster in one process: kill -9 loses nothing that was acknowledged, and
// what would lose something is found.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { freePorts } from '../../tools/demo/cluster-process.ts'
import { ServeUnderTest } from '../chaos/faults/kill-serve.ts'
import { printReport } from '../chaos/print-report.ts'
import { type ChaosReport, ChaosRun, type Fault } from '../chaos/run-chaos.ts'

let root: string
let serve: ServeUnderTest

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'cellfeed-chaos-'))
  // Small and hasty, so that checkpoints and generations are always under way.
  const flags = ['--checkpoint-interval', '200ms', '--window-posts', '1000']
  serve = await ServeUnderTest.start({
    folder: join(root, 'data'),
    ports: await freePorts(),
    flags: [...flags, '--generation-posts', '100'],
    readyWithinMs: 60_000,
  })
})
afterEach(async () => {
  await serve.stop()
  await rm(root, { recursive: true })
})

async function runUnder(fault: Fault, recoveryMs: number): Promise<ChaosReport> {
  const run = await ChaosRun.begin({
    address: serve.address,
    seed: Math.floor(Math.random() * 1e6),
    prefix: '',
    users: 40,
    sessionsPerUser: 2,
    followsPerUser: 8,
    actionsPerSecond: 150,
    timeoutMs: 3_000,
    writesBetween: 250,
    recoveryMs,
  })
  try {
    return await run.under(fault)
  } finally {
    await run.end()
  }
}

test('kill -9 under load loses nothing that was acknowledged, and brings nothing back', async () => {
  const report = await runUnder(serve.killed, 60_000)
  printReport(report, console.log)
  expect(report.tally.findings).toEqual([])
  expect(report.tally.writes.acknowledged).toBeGreaterThan(500)
})

test('acknowledged writes that are lost are found', async () => {
  const { tally } = await runUnder(serve.putBack(200, 30_000), 15_000)
  expect([...tally.findingsByKind.keys()]).toContain('missing')
})
