// The admin API on a port of its own, which no user's client should reach.

import { AdminServiceService } from '../../gen/cellfeed/admin/v1/admin_service.ts'
import { addService } from '../gateway/service-book.ts'
import { GrpcServer } from '../runtime/grpc-server.ts'
import type { ProcessTls } from '../runtime/process-flags.ts'
import type { AdminDesk } from './admin-desk.ts'
import { adminService } from './admin-service.ts'

const SERVICES = ['cellfeed.admin.v1.AdminService']
const REQUEST_BYTES_MAX = 64 * 1024
const STOP_GRACE_MS = 250
/** How long calls that are under way may take. */
const DRAIN_MS = 10_000

type ListenAt = {
  readonly host: string
  readonly port: number
  readonly tls: ProcessTls | undefined
}

export class Admin {
  readonly #desk: AdminDesk
  readonly #grpc: GrpcServer

  constructor(desk: AdminDesk, at: ListenAt) {
    this.#desk = desk
    this.#grpc = new GrpcServer({
      ...at,
      services: SERVICES,
      requestBytesMax: REQUEST_BYTES_MAX,
    })
    addService(this.#grpc.server, AdminServiceService, adminService(desk))
  }

  /** Resolves with the port. Throws ListenError. */
  async start(): Promise<number> {
    const port = await this.#grpc.listen()
    this.#grpc.setServing(true)
    return port
  }

  async stop(): Promise<void> {
    this.#grpc.setServing(false)
    const { clock, front } = this.#desk
    const closed = new AbortController()
    await Promise.race([front.close(), clock.sleep(DRAIN_MS, closed.signal)])
    closed.abort()
    await this.#grpc.stop(STOP_GRACE_MS)
  }
}
