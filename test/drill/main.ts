// `make drill`: users move while parts of the cluster are killed. Flags: --on embedded|servers, --rounds N, --seed N, --from N (the first
// round, to do one again), --minutes N (then no further round), --standby-every N. Ends with code 1 if a promise was broken.

import { parseArgs } from 'node:util'
import { readServersConfig } from '../servers/config.ts'
import { startProcesses } from '../servers/process-engines.ts'
import { startEmbedded } from './cluster/on-embedded.ts'
import { startOnServers } from './cluster/on-servers.ts'
import { play, type Played } from './play.ts'
import { type DrillPlan, LONG_LOAD } from './stage.ts'
import { summaryOf } from './summary.ts'

const CELLS = 2
/** Within a lease, and beyond it. One process has no leases: nothing happens while it is away. */
const AWAY_MS_MAX = { embedded: 2_000, servers: 8_000 }

const print = (line: string) => console.log(line)
const { values } = parseArgs({
  options: {
    on: { type: 'string', default: 'embedded' },
    rounds: { type: 'string', default: '50' },
    from: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '180' },
    seed: { type: 'string' },
    'standby-every': { type: 'string', default: '4' },
  },
})
const { on } = values
if (on !== 'embedded' && on !== 'servers') {
  throw new Error(`--on wants embedded or servers, not ${on}`)
}
const seed = Number(values.seed ?? Math.floor(Math.random() * 1e6))
const plan: DrillPlan = {
  seed,
  from: Number(values.from),
  rounds: Number(values.rounds),
  withinMs: Number(values.minutes) * 60_000,
  awayMsMax: AWAY_MS_MAX[on],
  standbyEvery: on === 'servers' ? Number(values['standby-every']) : Number.POSITIVE_INFINITY,
  load: LONG_LOAD,
}

async function embedded(): Promise<Played> {
  const cluster = await startEmbedded(CELLS)
  try {
    return await play(cluster, plan, print)
  } finally {
    await cluster.stop()
  }
}

async function onServers(): Promise<Played> {
  const servers = await startProcesses(readServersConfig())
  print(servers.description)
  try {
    const cluster = await startOnServers(servers.engines, CELLS)
    try {
      return await play(cluster, plan, print)
    } finally {
      await cluster.stop()
    }
  } finally {
    await servers.stop()
  }
}

const startedMs = performance.now()
print(`seed ${seed}, on ${on === 'embedded' ? 'cellfeed serve' : 'servers'}`)
const { reports, broken } = await (on === 'embedded' ? embedded() : onServers())
for (const line of summaryOf(reports)) print(line)
const minutes = ((performance.now() - startedMs) / 60_000).toFixed(1)
if (broken === undefined) print(`all promises kept, in ${minutes} minutes`)
else {
  const again = `make drill ON=${on} SEED=${seed} ROUNDS=1 ARGS="--from ${broken}"`
  print(`BROKEN in round ${broken}, after ${minutes} minutes; again: ${again}`)
}
process.exitCode = broken === undefined ? 0 : 1
