// The public API on a port. Stopping drains: new calls are refused, streams are ended, calls that run are answered, and what
// is still open after that is cut off.

import { FirehoseServiceService } from '../../gen/cellfeed/v1/firehose_service.ts'
import { GraphServiceService } from '../../gen/cellfeed/v1/graph_service.ts'
import { ImportServiceService } from '../../gen/cellfeed/v1/import_service.ts'
import { UserServiceService } from '../../gen/cellfeed/v1/user_service.ts'
import { RouterServiceService } from '../../gen/cellfeed/v1/router_service.ts'
import { GrpcServer } from '../runtime/grpc-server.ts'
import type { ProcessTls } from '../runtime/process-flags.ts'
import { dashboardService, dashboardServiceDefinition } from './dashboard-service.ts'
import { firehoseService } from './firehose-service.ts'
import type { GatewayDesk } from './gateway-desk.ts'
import { graphService } from './graph-service.ts'
import { importService } from './import-service.ts'
import { postService, postServiceDefinition } from './post-service.ts'
import { addService } from './service-book.ts'
import { ROUTER_SERVICE, routerService } from '../router/router-service.ts'
import { userService } from './user-service.ts'

const SERVICES = [
  'cellfeed.v1.DashboardService',
  'cellfeed.v1.PostService',
  'cellfeed.v1.GraphService',
  'cellfeed.v1.UserService',
  'cellfeed.v1.ImportService',
  'cellfeed.v1.FirehoseService',
  ROUTER_SERVICE,
]

type ListenAt = {
  readonly host: string
  readonly port: number
  readonly tls: ProcessTls | undefined
}

export class Gateway {
  readonly #desk: GatewayDesk
  readonly #grpc: GrpcServer

  constructor(desk: GatewayDesk, at: ListenAt) {
    this.#desk = desk
    const { requestBytesMax } = desk.limits
    this.#grpc = new GrpcServer({ ...at, services: SERVICES, requestBytesMax })
    const { server } = this.#grpc
    addService(server, dashboardServiceDefinition, dashboardService(desk))
    addService(server, postServiceDefinition, postService(desk))
    addService(server, GraphServiceService, graphService(desk))
    addService(server, UserServiceService, userService(desk))
    addService(server, ImportServiceService, importService(desk))
    addService(server, FirehoseServiceService, firehoseService(desk))
    addService(server, RouterServiceService, routerService(desk.front, desk.homes))
  }

  /** Resolves with the port. Health says NOT_SERVING until it is told otherwise. Throws ListenError. */
  listen(): Promise<number> {
    return this.#grpc.listen()
  }

  setServing(isServing: boolean): void {
    this.#grpc.setServing(isServing)
  }

  async stop(): Promise<void> {
    this.setServing(false)
    const { drainMs } = this.#desk.limits
    const { clock, front } = this.#desk
    const drained = new AbortController()
    const tooLong = clock.sleep(drainMs, drained.signal)
    await Promise.race([front.close(), tooLong])
    drained.abort()
    // What is left are health watches, idle connections, and calls that did not end: nothing to wait long for.
    await this.#grpc.stop(Math.min(drainMs, 250))
  }
}
