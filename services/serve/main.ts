// `cellfeed serve`: a cluster in this process on a data folder. This file alone picks the adapters, all embedded.

import type { Clock } from '../../cells/ports/clock.ts'
import { DataFolder } from '../../infra/embedded/data-folder.ts'
import type { EmbeddedFirehose } from '../../infra/embedded/firehose.ts'
import { RETENTION_EVERY_MS_DEFAULT, retain } from '../../infra/embedded/retention.ts'
import { MemoryBodyCache } from '../../infra/memory/body-cache.ts'
import { monotonicMs, systemClock } from '../../infra/system/clock.ts'
import { GATEWAY_LIMITS } from '../gateway/gateway-limits.ts'
import { createLog, type Logger } from '../runtime/log.ts'
import { Closing } from '../runtime/closing.ts'
import { type Cluster, startCluster } from './cluster.ts'
import type { ServeConfig } from './config.ts'

const BODY_CACHE_BYTES = 32 * 1024 * 1024

export type RunningCluster = Cluster & {
  /** Drains: ends calls, takes checkpoints, closes the data folder. */
  stop(): Promise<void>
}

/** A cluster to be stopped by who asked for it. Resolves when the cells serve. Throws DataFolderError, ListenError or OtherCells. */
export async function serve(config: ServeConfig): Promise<RunningCluster> {
  const closing = new Closing()
  try {
    const cluster = await startServe(config, closing)
    return { ...cluster, stop: () => closing.close() }
  } catch (error) {
    await closing.close().catch(() => undefined)
    throw error
  }
}

/** The same; what it opened is in `closing`, also when it throws. */
export async function startServe(config: ServeConfig, closing: Closing): Promise<Cluster> {
  const clock = systemClock
  const log = createLog(config.logLevel)
  const folder = await DataFolder.open({ path: config.dataFolder, fsync: config.fsync })
  closing.add(() => folder.close())
  const control = await folder.openControlStore()
  closing.add(() => control.close())
  const firehose = await folder.openFirehose({ clock })
  closing.add(() => firehose.close())
  const openStore = (cell: string) => folder.openCellStore(cell)
  const openCache = () => new MemoryBodyCache({ bytesMax: BODY_CACHE_BYTES })

  const cluster = await startCluster(
    { clock, monotonicMs, control, firehose, openStore, openCache },
    { ...config, gatewayLimits: GATEWAY_LIMITS, log },
    closing,
  )
  const { retentionMs: ageMs } = config
  closing.add(retainEvents(firehose, { ageMs, clock, log, isDue: () => cluster.isWhole() }))
  return cluster
}

/** Only while every cell serves: what a cell that was down for long has to replay is there until then. */
function retainEvents(
  firehose: EmbeddedFirehose,
  options: {
    readonly ageMs: number
    readonly clock: Clock
    readonly log: Logger
    readonly isDue: () => boolean
  },
): () => Promise<void> {
  const { ageMs, clock, log, isDue } = options
  const ending = new AbortController()
  const { signal } = ending
  const everyMs = RETENTION_EVERY_MS_DEFAULT
  const rounds = async () => {
    while (!signal.aborted) {
      // A failure must not end it: dropping events is what makes room on a full disk.
      await retain(firehose, { clock, ageMs, everyMs, signal, isDue }).catch((error: unknown) =>
        log.error({ err: error }, 'could not drop old events'),
      )
      await clock.sleep(everyMs, signal)
    }
  }
  const running = rounds()
  return () => {
    ending.abort()
    return running
  }
}
