// A whole cluster in this process, on the data folder: firehose, cells, gateway, router and controller. This file is the parts
// list; it alone picks the adapters. Ports open first, then the cells load; what asks for a cell meanwhile is told to wait.

import { Cell } from '../../cells/activities/cell.ts'
import type { CellName } from '../../cells/model/placement.ts'
import { DataFolder } from '../../infra/embedded/data-folder.ts'
import { MemoryBodyCache } from '../../infra/memory/body-cache.ts'
import { systemClock } from '../../infra/system/clock.ts'
import { CellHost, statusesOf } from '../cell/cell-host.ts'
import { packageVersion } from '../cli/version.ts'
import { Admin } from '../controller/admin.ts'
import { nextBoot } from '../controller/boots.ts'
import { pageTokenKeys } from '../controller/cluster-secrets.ts'
import { placementFor } from '../controller/first-placement.ts'
import { CellReader } from '../gateway/cell-reader.ts'
import { ConsistencyTokens } from '../gateway/consistency-tokens.ts'
import { EventWriter } from '../gateway/event-writer.ts'
import { FrontDesk } from '../gateway/front-desk.ts'
import { Gateway } from '../gateway/gateway.ts'
import { GATEWAY_LIMITS } from '../gateway/gateway-limits.ts'
import { PageTokens } from '../gateway/page-tokens.ts'
import { WorkerLease } from '../gateway/worker-lease.ts'
import { cellsOf } from '../router/placement-document.ts'
import { followPlacement, Router } from '../router/router.ts'
import { createLog } from '../runtime/log.ts'
import { Metrics } from '../runtime/metrics.ts'
import { serveStatusPage } from '../runtime/status-page.ts'
import { Closing } from './closing.ts'
import type { ServeConfig } from './config.ts'
import { keepRetention } from './retention.ts'

const BODY_CACHE_BYTES = 32 * 1024 * 1024

export type RunningCluster = {
  /** host:port of the public API, the admin API, and the HTTP page with metrics and health. */
  readonly address: string
  readonly adminAddress: string
  readonly statusAddress: string
  readonly cells: readonly CellName[]
  /** Drains: ends calls, takes checkpoints, closes the data folder. */
  stop(): Promise<void>
}

/** Resolves when every cell serves. Throws DataFolderError, ListenError or OtherCells. */
export async function serve(config: ServeConfig): Promise<RunningCluster> {
  const closing = new Closing()
  try {
    return await start(config, closing)
  } catch (error) {
    await closing.close().catch(() => undefined)
    throw error
  }
}

async function start(config: ServeConfig, closing: Closing): Promise<RunningCluster> {
  const clock = systemClock
  const log = createLog(config.logLevel)
  const metrics = new Metrics()
  const limits = GATEWAY_LIMITS
  const { cellLimits, host } = config

  const folder = await DataFolder.open({ path: config.dataFolder, fsync: config.fsync })
  closing.add(() => folder.close())
  const control = await folder.openControlStore()
  closing.add(() => control.close())
  const { clusterId, placement } = await placementFor(control, config.cells)
  const firehose = await folder.openFirehose({ clock })
  closing.add(() => firehose.close())

  const hosts = new Map<CellName, CellHost>()
  for (const name of cellsOf(placement)) {
    const store = await folder.openCellStore(name)
    closing.add(() => store.close())
    const cache = new MemoryBodyCache({ bytesMax: BODY_CACHE_BYTES })
    const cellHost = new CellHost(name, {
      clock,
      log,
      nextBoot: () => nextBoot(control),
      create: (boot) =>
        new Cell({ firehose, store, cache, clock }, { name, boot, placement, limits: cellLimits }),
      restarted: () => metrics.cellRestarts.inc({ cell: name }),
    })
    hosts.set(name, cellHost)
  }
  closing.add(async () => {
    await Promise.all([...hosts.values()].map((cellHost) => cellHost.stop()))
  })

  const background = new AbortController()
  const failed = (task: string) => (error: unknown) => log.error({ task, err: error }, 'failed')
  const router = new Router(placement, (cell) => hosts.get(cell)?.client)
  const lease = await WorkerLease.take({ control, clock })
  const loops = [
    followPlacement(
      { control, router, clock },
      { signal: background.signal, failed: failed('follow placement') },
    ),
    lease.keep(background.signal, failed('renew worker number')),
  ]
  closing.add(async () => {
    background.abort()
    await Promise.all(loops)
  })

  const tokens = new ConsistencyTokens(firehose.identity)
  const pages = new PageTokens(await pageTokenKeys(control), tokens)
  const reader = new CellReader({ router, limits, metrics })
  const writer = new EventWriter({
    firehose,
    clock,
    lease,
    tokens,
    metrics,
    limits: { ...limits, repeatWindowMs: cellLimits.repeatWindowMs },
  })
  const front = new FrontDesk({ limits, metrics, log })
  const desk = { front, reader, writer, firehose, clock, tokens, pages, limits, cellLimits }
  const gateway = new Gateway(desk, { host, port: config.port })
  closing.add(() => gateway.stop())
  const port = await gateway.listen()

  const reports = () => [...hosts.values()].map((cellHost) => cellHost.report())
  const admin = new Admin(
    {
      front: new FrontDesk({ limits, metrics, log }),
      router,
      reader,
      tokens,
      clusterId,
      partitionsPerTopic: firehose.identity.partitionsPerTopic,
      version: packageVersion(),
      reports,
    },
    { host, port: config.adminPort },
  )
  closing.add(() => admin.stop())
  const adminPort = await admin.start()

  metrics.watchProcess()
  metrics.watchCells(() => statusesOf(reports()))
  const isServing = () => reports().some(({ state }) => state === 'serving')
  const page = await serveStatusPage({ host, port: config.statusPort, metrics, isServing })
  closing.add(() => page.stop())

  await Promise.all([...hosts.values()].map((cellHost) => cellHost.start()))
  gateway.setServing(true)
  loops.push(
    keepRetention(
      { firehose, clock },
      {
        retentionMs: config.retentionMs,
        signal: background.signal,
        failed: failed('drop old events'),
      },
    ),
  )

  return {
    address: `${host}:${port}`,
    adminAddress: `${host}:${adminPort}`,
    statusAddress: `${host}:${page.port}`,
    cells: [...hosts.keys()],
    stop: () => closing.close(),
  }
}
