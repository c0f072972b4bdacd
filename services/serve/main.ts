// `cellfeed serve`: a cluster in this process on a data folder. This file alone picks the adapters, all embedded.

import { DataFolder } from '../../infra/embedded/data-folder.ts'
import { MemoryBodyCache } from '../../infra/memory/body-cache.ts'
import { systemClock } from '../../infra/system/clock.ts'
import { GATEWAY_LIMITS } from '../gateway/gateway-limits.ts'
import { createLog } from '../runtime/log.ts'
import { Closing } from './closing.ts'
import { type Cluster, startCluster } from './cluster.ts'
import type { ServeConfig } from './config.ts'
import { keepRetention } from './retention.ts'

const BODY_CACHE_BYTES = 32 * 1024 * 1024

export type RunningCluster = Cluster & {
  /** Drains: ends calls, takes checkpoints, closes the data folder. */
  stop(): Promise<void>
}

/** Resolves when every cell serves. Throws DataFolderError, ListenError or OtherCells. */
export async function serve(config: ServeConfig): Promise<RunningCluster> {
  const closing = new Closing()
  try {
    const cluster = await start(config, closing)
    return { ...cluster, stop: () => closing.close() }
  } catch (error) {
    await closing.close().catch(() => undefined)
    throw error
  }
}

async function start(config: ServeConfig, closing: Closing): Promise<Cluster> {
  const clock = systemClock
  const log = createLog(config.logLevel)
  const folder = await DataFolder.open({ path: config.dataFolder, fsync: config.fsync })
  closing.add(() => folder.close())
  const control = await folder.openControlStore()
  closing.add(() => control.close())
  const firehose = await folder.openFirehose({ clock })
  closing.add(() => firehose.close())
  const openStore = async (cell: string) => {
    const store = await folder.openCellStore(cell)
    closing.add(() => store.close())
    return store
  }
  const openCache = () => new MemoryBodyCache({ bytesMax: BODY_CACHE_BYTES })

  const cluster = await startCluster(
    { clock, control, firehose, openStore, openCache },
    { ...config, gatewayLimits: GATEWAY_LIMITS, log },
    closing,
  )
  const failed = (error: unknown) => log.error({ err: error }, 'could not drop old events')
  const { retentionMs } = config
  closing.add(keepRetention({ firehose, clock }, { retentionMs, failed }))
  return cluster
}
