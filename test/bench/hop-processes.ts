// The two processes of the bench `hop`: a cell with readers whose dashboards are in memory, and a gateway in front of it, joined
// by the stream. Started by hop.ts; each prints its addresses as a line of JSON and lives until its stdin ends.

import { credentials } from '@grpc/grpc-js'
import { Cell } from '../../cells/activities/cell.ts'
import { CELL_LIMITS } from '../../cells/model/cell-limits.ts'
import type { Event } from '../../cells/model/event.ts'
import { IdAllocator } from '../../cells/model/id-allocator.ts'
import { firstPlacement } from '../../cells/model/placement.ts'
import type { EventId, PostId } from '../../cells/model/post-id.ts'
import { userRef } from '../../cells/model/user-key.ts'
import { MemoryBodyCache } from '../../infra/memory/body-cache.ts'
import { MemoryCellStore } from '../../infra/memory/cell-store.ts'
import { MemoryControlStore } from '../../infra/memory/control-store.ts'
import { MemoryFirehose } from '../../infra/memory/firehose.ts'
import { MemoryPlacements } from '../../infra/memory/placements.ts'
import { monotonicMs, systemClock } from '../../infra/system/clock.ts'
import { CellService } from '../../services/cell/cell-service.ts'
import { CELL_STREAM_LIMITS } from '../../services/cell/cell-stream-limits.ts'
import { DirectReads } from '../../services/cell/direct-reads.ts'
import { CellReader } from '../../services/gateway/cell-reader.ts'
import { ConsistencyTokens } from '../../services/gateway/consistency-tokens.ts'
import { EventWriter } from '../../services/gateway/event-writer.ts'
import { FrontDesk } from '../../services/gateway/front-desk.ts'
import { Gateway } from '../../services/gateway/gateway.ts'
import { GATEWAY_LIMITS } from '../../services/gateway/gateway-limits.ts'
import { PageTokens } from '../../services/gateway/page-tokens.ts'
import { WorkerLease } from '../../services/gateway/worker-lease.ts'
import { encodeContent, encodeHead } from '../../services/gateway/wire.ts'
import { CellPool } from '../../services/router/cell-pool.ts'
import { Router } from '../../services/router/router.ts'
import { GrpcServer } from '../../services/runtime/grpc-server.ts'
import { createLog } from '../../services/runtime/log.ts'
import { Metrics } from '../../services/runtime/metrics.ts'

const AUTHORS = 1_000
const POSTS_EACH = 20
const READERS = 100
const FOLLOWS = 200
const POST_BYTES = 1_000
const APPEND_EVENTS = 500
const PAGE_KEYS = [{ id: 1, secret: Buffer.alloc(32) }]

const placement = firstPlacement(['cell-1'], 16)
const log = createLog('silent')
const clock = systemClock
const limits = GATEWAY_LIMITS

async function cellProcess(): Promise<void> {
  const firehose = new MemoryFirehose({ clock, logId: 'bench' })
  for (let from = 0; from < EVENTS.length; from += APPEND_EVENTS) {
    await firehose.append(EVENTS.slice(from, from + APPEND_EVENTS))
  }
  const ports = {
    firehose,
    store: new MemoryCellStore(),
    cache: new MemoryBodyCache({ bytesMax: 1 << 28 }),
    clock,
    monotonicMs,
    moving: new MemoryPlacements(placement),
  }
  const cell = new Cell(ports, { name: 'cell-1', boot: 1, placement, limits: CELL_LIMITS })
  await cell.start()
  const grpc = new GrpcServer({
    host: '127.0.0.1',
    port: 0,
    services: [],
    requestBytesMax: 1 << 22,
  })
  const hosted = () => cell
  const service = new CellService({
    cell: 'cell-1',
    hosted,
    clock,
    log,
    limits: CELL_STREAM_LIMITS,
  })
  service.addTo(grpc.server)
  const tokens = new ConsistencyTokens(firehose.identity)
  const pages = new PageTokens(PAGE_KEYS, tokens)
  const metrics = new Metrics()
  const parts = { cell: 'cell-1', hosted, clock, metrics, log, tokens, pages, limits }
  new DirectReads({ ...parts, cellLimits: CELL_LIMITS }).addTo(grpc.server)
  say({ address: `127.0.0.1:${await grpc.listen()}` })
}

async function gatewayProcess(cellAddress: string): Promise<void> {
  const firehose = new MemoryFirehose({ clock, logId: 'bench' })
  const pool = new CellPool({
    addressOf: () => cellAddress,
    credentials: credentials.createInsecure(),
    clock,
    limits: CELL_STREAM_LIMITS,
    log,
  })
  const metrics = new Metrics()
  const router = new Router(placement, (cell) => pool.connect(cell))
  const tokens = new ConsistencyTokens(firehose.identity)
  const lease = await WorkerLease.take({ control: new MemoryControlStore(), clock })
  const { repeatWindowMs } = CELL_LIMITS
  const desk = {
    front: new FrontDesk({ limits, metrics, log }),
    homes: { router, addressOf: () => cellAddress },
    reader: new CellReader({ router, limits, metrics }),
    writer: new EventWriter({
      firehose,
      clock,
      lease,
      tokens,
      metrics,
      limits: { ...limits, repeatWindowMs },
    }),
    firehose,
    clock,
    tokens,
    pages: new PageTokens(PAGE_KEYS, tokens),
    limits,
    cellLimits: CELL_LIMITS,
  }
  const gateway = new Gateway(desk, { host: '127.0.0.1', port: 0, tls: undefined })
  const port = await gateway.listen()
  gateway.setServing(true)
  say({ address: `127.0.0.1:${port}` })
}

function* events(): Generator<Event['fact']> {
  const startMs = Date.now() - 60_000
  const ids = new IdAllocator(1)
  const content = encodeContent(
    { text: 'x'.repeat(POST_BYTES), tags: [], payload: Buffer.alloc(0) },
    undefined,
  )
  for (let reader = 0; reader < READERS; reader++) {
    for (let n = 0; n < FOLLOWS; n++) {
      const author = userRef(`author-${(reader * 7 + n * 5) % AUTHORS}`)
      const user = userRef(`reader-${reader}`)
      yield { kind: 'followed', user, author, hideReblogs: false, asOfMs: undefined }
    }
  }
  for (let round = 0; round < POSTS_EACH; round++) {
    for (let n = 0; n < AUTHORS; n++) {
      const author = userRef(`author-${n}`)
      const postId = ids.allocate(startMs + round * AUTHORS + n) as PostId
      const created = { author, postId, audience: 'public', reblogOf: undefined } as const
      const head = encodeHead({ ...created, createdAtMs: startMs, externalId: '' })
      yield { kind: 'post-created', ...created, head, content }
    }
  }
}

function numbered(facts: Iterable<Event['fact']>): { id: EventId; fact: never }[] {
  const ids = new IdAllocator(2)
  return Array.from(facts, (fact) => ({
    id: ids.allocate(Date.now()) as EventId,
    fact: fact as never,
  }))
}

function say(line: object): void {
  console.log(JSON.stringify(line))
}

const [, , role, cellAddress] = process.argv
const EVENTS = role === 'cell' ? numbered(events()) : []
process.stdin.on('end', () => process.exit(0)).resume()
if (role === 'cell') await cellProcess()
else await gatewayProcess(cellAddress ?? '')
