// A whole cluster in this process on adapters in memory, behind real gRPC on free ports.

import { CELL_LIMITS, type CellLimits } from '../../cells/model/cell-limits.ts'
import { DashboardServiceService } from '../../gen/cellfeed/v1/dashboard_service.ts'
import { GraphServiceService } from '../../gen/cellfeed/v1/graph_service.ts'
import { PostServiceService } from '../../gen/cellfeed/v1/post_service.ts'
import { MemoryBodyCache } from '../../infra/memory/body-cache.ts'
import { MemoryCellStore } from '../../infra/memory/cell-store.ts'
import { MemoryControlStore } from '../../infra/memory/control-store.ts'
import { MemoryFirehose } from '../../infra/memory/firehose.ts'
import { monotonicMs, systemClock } from '../../infra/system/clock.ts'
import { GATEWAY_LIMITS, type GatewayLimits } from '../../services/gateway/gateway-limits.ts'
import { createLog } from '../../services/runtime/log.ts'
import { Closing } from '../../services/runtime/closing.ts'
import { type Cluster, startCluster } from '../../services/serve/cluster.ts'
import { newPost, RawClient } from './raw-client.ts'

export type MemoryClusterOptions = {
  readonly cells?: number
  readonly cellLimits?: Partial<CellLimits>
  readonly gatewayLimits?: Partial<GatewayLimits>
  /** How far the log's clock is ahead of the gateway's. */
  readonly logClockAheadMs?: number
}

export class MemoryCluster {
  readonly cluster: Cluster
  readonly firehose: MemoryFirehose
  readonly api: RawClient
  readonly admin: RawClient
  readonly #closing: Closing

  static async start(options: MemoryClusterOptions = {}): Promise<MemoryCluster> {
    const aheadMs = options.logClockAheadMs ?? 0
    const firehose = new MemoryFirehose({
      clock: { nowMs: () => Date.now() + aheadMs },
      logId: 'the log of this test',
    })
    const closing = new Closing()
    const ports = {
      clock: systemClock,
      monotonicMs,
      control: new MemoryControlStore(),
      firehose,
      openStore: async () => new MemoryCellStore(),
      openCache: () => new MemoryBodyCache({ bytesMax: 1 << 20 }),
    }
    const cluster = await startCluster(
      ports,
      {
        cells: options.cells ?? 2,
        host: '127.0.0.1',
        port: 0,
        adminPort: 0,
        statusPort: 0,
        cellLimits: { ...CELL_LIMITS, unreadCap: 1_000, ...options.cellLimits },
        gatewayLimits: { ...GATEWAY_LIMITS, drainMs: 2_000, ...options.gatewayLimits },
        log: createLog('silent'),
      },
      closing,
    )
    return new MemoryCluster(cluster, firehose, closing)
  }

  private constructor(cluster: Cluster, firehose: MemoryFirehose, closing: Closing) {
    this.cluster = cluster
    this.firehose = firehose
    this.api = new RawClient(cluster.address)
    this.admin = new RawClient(cluster.adminAddress)
    this.#closing = closing
  }

  async follow(userId: string, authorId: string, hideReblogs = false): Promise<string> {
    const request = { userId, authorId, hideReblogs }
    return (await this.api.ask(GraphServiceService.follow, request)).consistencyToken
  }

  async publish(authorId: string, text: string, more: Partial<typeof newPost> = {}) {
    const request = { ...newPost, authorId, text, ...more }
    const { post, consistencyToken } = await this.api.ask(PostServiceService.createPost, request)
    if (post === undefined) throw new Error('an answer without a post')
    return { authorId, postId: post.postId, token: consistencyToken }
  }

  /** A page as the user sees it after these tokens. */
  dashboard(userId: string, consistencyTokens: string[] = [], pageToken = '', pageSize = 0) {
    return this.api.ask(DashboardServiceService.listDashboard, {
      userId,
      pageSize,
      pageToken,
      consistencyTokens,
      includeUnreadCount: true,
    })
  }

  /** The texts on a dashboard, newest first. */
  async texts(userId: string, consistencyTokens: string[] = []): Promise<string[]> {
    const { posts } = await this.dashboard(userId, consistencyTokens, '', 200)
    return posts.map(({ post }) => post?.text ?? '')
  }

  async stop(): Promise<void> {
    this.api.close()
    this.admin.close()
    await this.#closing.close()
  }
}
