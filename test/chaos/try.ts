// try
import { mkdtempSync } from 'node:fs'
import { startChaosCluster } from './cluster/chaos-cluster.ts'
import { faultsOf } from './faults/fault-list.ts'
import { printReport } from './print-report.ts'
import { ChaosRun } from './run-chaos.ts'
const folder = mkdtempSync('/tmp/chaos-try/c-')
console.log(folder)
const t = performance.now()
const cluster = await startChaosCluster({ folder, brokers: 1, cells: 2 })
console.log('up', performance.now() - t, cluster.address)
try {
  const run = await ChaosRun.begin({
    address: cluster.address,
    seed: Number(process.argv[2] ?? 1),
    prefix: 'a',
    users: 40,
    sessionsPerUser: 2,
    followsPerUser: 8,
    actionsPerSecond: 100,
    timeoutMs: 5000,
    writesBetween: 150,
    recoveryMs: 120000,
  })
  console.log('graph', performance.now() - t)
  for (const fault of faultsOf(cluster).filter((f) => f.name.includes(process.argv[3] ?? ''))) {
    console.log(new Date(), fault.name)
    try {
      printReport(await run.under(fault), console.log)
    } catch (e) {
      console.log('FAILED', e)
    }
  }
  await run.end()
} finally {
  await cluster.stop()
}
