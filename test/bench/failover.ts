// A cell is gone: how long until all its users are served by another one. Processes of a cluster on adapters in memory, in this one process;
// the cell loses the control store for good, as one that is killed does, and everything that it kept is still in its store.
//
//     node --max-old-space-size=8192 --import tsx test/bench/failover.ts [--users n]

import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { ControlStore } from '../../cells/ports/control-store.ts'
import { type Cellfeed, connect } from '../../services/client/connect.ts'
import { ADOPT_AFTER_MS } from '../../services/controller/config.ts'
import { addressOf, ProcessCluster } from '../integration/process-cluster.ts'
import type { BenchRow } from './bench-row.ts'
import { printTable } from './print.ts'

const { values } = parseArgs({
  options: {
    users: { type: 'string', default: '100000' },
    'follows-each': { type: 'string', default: '20' },
  },
})
const USERS = Number(values.users)
const FOLLOWS = Number(values['follows-each'])
const BATCH = 1_000
const LOOK_MS = 20
const ASKED = 200

printTable([
  await failover({ hasStandby: true, goal: '< 5 s' }),
  await failover({ hasStandby: false, goal: '< 30 s' }),
])
// Cells that are gone never end in order.
process.exit(0)

async function failover(asked: {
  readonly hasStandby: boolean
  readonly goal: string
}): Promise<BenchRow> {
  const cluster = new ProcessCluster()
  await cluster.setUp(2)
  const { control, kill } = mortal(cluster.control)
  await Promise.all([cluster.cell('cell-1', control), cluster.cell('cell-2')])
  const [gateway, controller] = await Promise.all([
    cluster.gateway(),
    cluster.controller(ADOPT_AFTER_MS),
  ])
  const feed = connect(addressOf(gateway), { adminAddress: addressOf(controller) })
  await follow(feed)
  await feed.publish(user(0), 'before')
  if (asked.hasStandby) {
    await feed.setStandby('cell-1', 'cell-2')
    await until(async () => {
      const moves = await feed.moves()
      return moves.length > 0 && moves.every(({ phase }) => phase === 'READY')
    })
  }
  const startMs = performance.now()
  kill()
  await until(async () =>
    (await feed.cells()).every(({ cell, slots }) => slots > 0 === (cell === 'cell-2')),
  )
  await allAnswer(feed)
  const ms = performance.now() - startMs
  feed.close()
  await Promise.race([cluster.stop(), wait(5_000)])
  return {
    what: `a cell with half of ${USERS} users is gone, ${asked.hasStandby ? 'a standby' : 'no standby'}: until all are served`,
    figure: `${(ms / 1_000).toFixed(1)} s`,
    goal: `${asked.goal}, lease 3 s`,
    peer: '',
  }
}

/** Works until it is killed; then nothing that is asked of it is ever answered. */
function mortal(control: ControlStore): {
  readonly control: ControlStore
  readonly kill: () => void
} {
  let isDead = false
  const never = new Promise<never>(() => {})
  return {
    kill: () => {
      isDead = true
    },
    control: {
      get: (key) => (isDead ? never : control.get(key)),
      compareAndSet: (key, expected, value) =>
        isDead ? never : control.compareAndSet(key, expected, value),
      watch: (key, signal) => control.watch(key, signal),
    },
  }
}

async function follow(feed: Cellfeed): Promise<void> {
  const asOf = new Date()
  for (let from = 0; from < USERS * FOLLOWS; from += BATCH) {
    const records = Array.from({ length: BATCH }, (_, i) => ({
      follow: {
        userId: user(Math.floor((from + i) / FOLLOWS)),
        authorId: user(Math.imul(from + i, 7_919) >>> 0),
      },
    }))
    await feed.importRecords(records, { asOf })
  }
}

function user(number: number): string {
  return `user-${number % USERS}`
}

/** Some users of every part of the cluster. */
async function allAnswer(feed: Cellfeed): Promise<void> {
  for (let i = 0; i < ASKED; i++) await feed.dashboard(user(i * 499))
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await wait(LOOK_MS)
}
