// `make chaos`: every fault on real servers, one after the other, with the checker after each. Flags: --seed N, --only TEXT (of
// a fault's name, or 'brokers', or 'log'). Ends with code 1 if a promise was broken.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { connect } from '../../services/client/connect.ts'
import { type ChaosCluster, startChaosCluster } from './cluster/chaos-cluster.ts'
import type { ClusterPlan } from './cluster/cluster-plan.ts'
import { brokerKilled, faultsOf } from './faults/fault-list.ts'
import { madeAnewBehind, regrownBehind, type Refusal, truncatedBehind } from './faults/refusals.ts'
import { printReport } from './print-report.ts'
import { ChaosRun, type Fault, longLoad } from './run-chaos.ts'

const print = (line: string) => console.log(line)
const { values } = parseArgs({ options: { seed: { type: 'string' }, only: { type: 'string' } } })
const seed = Number(values.seed ?? Math.floor(Math.random() * 1e6))
const isWanted = ({ name }: { readonly name: string }) => name.includes(values.only ?? '')
let broken = 0

/** A cluster of its own for as long as `act` takes; what it logged stays if something broke. */
async function withCluster(
  plan: Omit<ClusterPlan, 'folder'>,
  act: (cluster: ChaosCluster) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'cellfeed-chaos-'))
  const brokenBefore = broken
  const cluster = await startChaosCluster({ ...plan, folder })
  try {
    await act(cluster)
  } finally {
    await cluster.stop()
    if (broken === brokenBefore) await rm(folder, { recursive: true, force: true })
    else print(`data and logs of the broken cluster: ${folder}`)
  }
}

/** The same users go on from fault to fault; after one that the servers did not survive, others begin anew. */
async function underAll(address: string, faults: readonly Fault[]): Promise<void> {
  let run: ChaosRun | undefined
  let runs = 0
  for (const fault of faults) {
    try {
      if (run === undefined) {
        runs += 1
        run = await ChaosRun.begin({ ...longLoad, prefix: `${runs}-`, address, seed })
      }
      const report = await run.under(fault)
      printReport(report, print)
      if (report.tally.findings.length > 0) broken += 1
    } catch (error) {
      broken += 1
      print(`BROKEN: ${fault.name}: ${messageOf(error)}; SEED=${seed}`)
      await run?.end()
      run = undefined
    }
  }
  await run?.end()
}

async function refused(name: string, refusal: () => Promise<Refusal>): Promise<void> {
  try {
    print(`${name}: refused, saying: ${(await refusal()).said}`)
  } catch (error) {
    broken += 1
    print(`BROKEN: ${name}: ${messageOf(error)}`)
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

const { only } = values
const startedMs = performance.now()
print(`seed ${seed}`)
if (only !== 'brokers' && only !== 'log') {
  await withCluster({ brokers: 1, cells: 2 }, (cluster) =>
    underAll(cluster.address, faultsOf(cluster).filter(isWanted)),
  )
}
if (only === undefined || only === 'brokers') {
  await withCluster({ brokers: 3, cells: 2 }, (cluster) =>
    underAll(cluster.address, [brokerKilled(cluster)]),
  )
}
if (only === undefined || only === 'log') {
  await withCluster({ brokers: 1, cells: 2 }, async (cluster) => {
    const feed = connect(cluster.address)
    await refused('log truncated behind a cell', () => truncatedBehind(cluster, feed))
    await refused('log made anew behind a cell', () => madeAnewBehind(cluster))
    await refused('log made anew and grown', () => regrownBehind(cluster, feed))
    feed.close()
  })
}
const minutes = ((performance.now() - startedMs) / 60_000).toFixed(1)
print(broken === 0 ? `all promises kept, in ${minutes} minutes` : `${broken} broken`)
process.exitCode = broken === 0 ? 0 : 1
