// A gRPC server on a free port that answers as a test says, and keeps what it was asked.

import {
  Metadata,
  type sendUnaryData,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js'
import {
  DashboardServiceService,
  type ListDashboardRequest,
  ListDashboardResponse,
  type WatchDashboardRequest,
  type WatchDashboardResponse,
} from '../../../../gen/cellfeed/v1/dashboard_service.ts'
import {
  FirehoseServiceService,
  type GetPositionsRequest,
  GetPositionsResponse,
} from '../../../../gen/cellfeed/v1/firehose_service.ts'
import {
  type FollowRequest,
  FollowResponse,
  GraphServiceService,
} from '../../../../gen/cellfeed/v1/graph_service.ts'
import {
  AllocatePostIdsResponse,
  type CreatePostRequest,
  CreatePostResponse,
  type LikePostRequest,
  PostServiceService,
} from '../../../../gen/cellfeed/v1/post_service.ts'
import {
  type ListHomesRequest,
  ListHomesResponse,
  RouterServiceService,
} from '../../../../gen/cellfeed/v1/router_service.ts'
import { ErrorInfo, BadRequest, RetryInfo } from '../../../../gen/google/rpc/error_details.ts'
import { Status } from '../../../../gen/google/rpc/status.ts'

export interface Refusal {
  readonly code: status
  readonly reason?: string
  readonly field?: string
  readonly retryAfterMs?: number
  readonly metadata?: Readonly<Record<string, string>>
}

/** What the server does with a call: a refusal, or undefined to answer. */
export interface FakeServer {
  readonly address: string
  readonly follows: FollowRequest[]
  readonly creates: CreatePostRequest[]
  readonly likes: LikePostRequest[]
  readonly lists: ListDashboardRequest[]
  readonly watches: WatchDashboardRequest[]
  positionsAsked: number
  homesAsked: number
  /** Where users are said to live. */
  homes: ListHomesResponse
  /** Refuses the calls to come, one each. */
  readonly refusals: Refusal[]
  /** What each stream sends before it ends with `streamEnds`. */
  streamAnswers: WatchDashboardResponse[][]
  streamEnds: Refusal | undefined
  /** Does not answer at all. */
  silent: boolean
  readonly cancelled: Promise<void>
  readonly stop: () => void
}

export async function startFakeServer(): Promise<FakeServer> {
  const server = new Server()
  let writes = 0
  let reads = 0
  let noteCancelled = () => {}
  const cancelled = new Promise<void>((resolve) => {
    noteCancelled = resolve
  })

  const unary =
    <Request, Response>(asked: Request[], answer: (request: Request) => Response) =>
    (call: ServerUnaryCall<Request, Response>, callback: sendUnaryData<Response>) => {
      asked.push(call.request)
      call.on('cancelled', () => noteCancelled())
      if (fake.silent) return
      const refusal = fake.refusals.shift()
      if (refusal) callback(errorOf(refusal))
      else callback(null, answer(call.request))
    }

  const fake: FakeServer = {
    address: '',
    follows: [],
    creates: [],
    likes: [],
    lists: [],
    watches: [],
    positionsAsked: 0,
    homesAsked: 0,
    homes: ListHomesResponse.decode(new Uint8Array()),
    refusals: [],
    streamAnswers: [],
    streamEnds: undefined,
    silent: false,
    cancelled,
    stop: () => server.forceShutdown(),
  }
  const write = () => `w${(writes += 1)}`
  const add = (service: Parameters<Server['addService']>[0], calls: UntypedServiceImplementation) =>
    server.addService(service, calls)
  add(GraphServiceService, {
    follow: unary(fake.follows, () =>
      FollowResponse.decode(FollowResponse.encode({ consistencyToken: write() }).finish()),
    ),
  })
  add(PostServiceService, {
    allocatePostIds: unary([] as unknown[], () => ({
      ...AllocatePostIdsResponse.decode(new Uint8Array()),
      postIds: [String(1000 + (writes += 1))],
    })),
    createPost: unary(fake.creates, ({ authorId, postId }) => ({
      ...CreatePostResponse.decode(new Uint8Array()),
      post: { authorId, postId: postId || '77' },
      consistencyToken: write(),
    })),
    likePost: unary(fake.likes, () => ({ consistencyToken: write() })),
  })
  add(DashboardServiceService, {
    listDashboard: unary(fake.lists, () => ({
      ...ListDashboardResponse.decode(new Uint8Array()),
      newerPageToken: 'newer',
      consistencyToken: `r${(reads += 1)}`,
    })),
    watchDashboard: (call: ServerWritableStream<WatchDashboardRequest, WatchDashboardResponse>) => {
      fake.watches.push(call.request)
      call.on('cancelled', () => noteCancelled())
      for (const answer of fake.streamAnswers.shift() ?? []) call.write(answer)
      if (fake.streamEnds) call.emit('error', errorOf(fake.streamEnds))
    },
  })
  add(RouterServiceService, {
    listHomes: unary([] as ListHomesRequest[], () => {
      fake.homesAsked += 1
      return fake.homes
    }),
  })
  add(FirehoseServiceService, {
    getPositions: unary([] as GetPositionsRequest[], () => {
      fake.positionsAsked += 1
      const consistencyToken = 'everything'
      return { ...GetPositionsResponse.decode(new Uint8Array()), consistencyToken }
    }),
  })

  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
      if (error) reject(error)
      else resolve(bound)
    })
  })
  return Object.assign(fake, { address: `127.0.0.1:${port}` })
}

/** A status as the API promises it. Without a reason: one that gRPC made by itself. */
function errorOf(refusal: Refusal) {
  const metadata = new Metadata()
  const any = (type: string, value: Uint8Array) => ({
    typeUrl: `type.googleapis.com/google.rpc.${type}`,
    value: Buffer.from(value),
  })
  if (refusal.reason !== undefined) {
    const info = {
      reason: refusal.reason,
      domain: 'cellfeed',
      metadata: refusal.metadata ?? { cell: 'cell-1' },
    }
    const details = [any('ErrorInfo', ErrorInfo.encode(info).finish())]
    if (refusal.field !== undefined) {
      const violation = {
        field: refusal.field,
        description: '',
        reason: '',
        localizedMessage: undefined,
      }
      details.push(any('BadRequest', BadRequest.encode({ fieldViolations: [violation] }).finish()))
    }
    if (refusal.retryAfterMs !== undefined) {
      const retryDelay = { seconds: 0n, nanos: refusal.retryAfterMs * 1e6 }
      details.push(any('RetryInfo', RetryInfo.encode({ retryDelay }).finish()))
    }
    const encoded = Status.encode({ code: refusal.code, message: 'no', details }).finish()
    metadata.set('grpc-status-details-bin', Buffer.from(encoded))
  }
  return { code: refusal.code, details: 'no', metadata }
}
