// A gRPC server on a port, with health and reflection, as every process of a cluster has one.

import { readFileSync } from 'node:fs'
import { logVerbosity, Server, setLogVerbosity } from '@grpc/grpc-js'
import {
  loadFileDescriptorSetFromBuffer,
  loadSync,
  type PackageDefinition,
} from '@grpc/proto-loader'
import { ReflectionService } from '@grpc/reflection'
import { HealthImplementation, protoPath as healthProtoPath } from 'grpc-health-check'
import { addressAt } from './address-at.ts'
import { serverCredentials } from './grpc-tls.ts'
import { listenErrorOf } from './listen-error.ts'
import type { ProcessTls } from './process-flags.ts'

// The library writes to stderr by itself, also what it hands over as an error.
setLogVerbosity(logVerbosity.NONE)

export type GrpcServerOptions = {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  /** Full names of the services, for health and reflection. */
  readonly services: readonly string[]
  readonly requestBytesMax: number
  /** Undefined: plain connections. */
  readonly tls?: ProcessTls | undefined
}

const STREAM_WINDOW_BYTES = 4 * 1024 * 1024

export class GrpcServer {
  readonly #server: Server
  readonly #health: HealthImplementation
  readonly #options: GrpcServerOptions

  constructor(options: GrpcServerOptions) {
    this.#options = options
    this.#server = new Server({
      'grpc.max_receive_message_length': options.requestBytesMax,
      'grpc.max_send_message_length': -1,
      'grpc-node.flow_control_window': STREAM_WINDOW_BYTES,
    })
    const names = ['', ...options.services]
    this.#health = new HealthImplementation(
      Object.fromEntries(names.map((name) => [name, 'NOT_SERVING'])),
    )
    this.#health.addToServer(this.#server)
    const shown = [...options.services, 'grpc.health.v1.Health']
    new ReflectionService(descriptors(), { services: shown }).addToServer(this.#server)
  }

  get server(): Server {
    return this.#server
  }

  /** Resolves with the port it listens on. Throws ListenError. */
  listen(): Promise<number> {
    const { host, port, tls } = this.#options
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(addressAt(host, port), serverCredentials(tls), (error, bound) => {
        if (error === null) resolve(bound)
        else reject(listenErrorOf(error, { host, port }))
      })
    })
  }

  /** What health checks are told. */
  setServing(isServing: boolean): void {
    for (const name of ['', ...this.#options.services]) {
      this.#health.setStatus(name, isServing ? 'SERVING' : 'NOT_SERVING')
    }
  }

  /** Takes no new connections, waits for running calls, and cuts off what is still open after the grace. */
  async stop(graceMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.tryShutdown(() => resolve())
    })
    const timer = setTimeout(() => this.#server.forceShutdown(), graceMs)
    await closed
    clearTimeout(timer)
  }
}

/** Everything in proto/, and the health service, whose own .proto is merged in so that reflection shows it. */
function descriptors(): PackageDefinition {
  const own = readFileSync(new URL('../../gen/cellfeed.binpb', import.meta.url))
  return { ...loadFileDescriptorSetFromBuffer(own), ...loadSync(healthProtoPath) }
}
