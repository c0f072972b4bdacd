// A Redis of a test's own, to be killed, stopped and filled, with a client beside the cache that sees what it holds.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { type LocalCertificates, makeCertificates } from '../../../infra/local/certificates.ts'
import { type LocalRedis, startRedis } from '../../../infra/local/redis.ts'

export class OwnRedis {
  readonly server: LocalRedis
  readonly certificates: LocalCertificates | undefined
  readonly #folder: string
  readonly #password: string | undefined
  readonly #clients: Redis[] = []

  private constructor(options: {
    readonly server: LocalRedis
    readonly certificates: LocalCertificates | undefined
    readonly folder: string
    readonly password: string | undefined
  }) {
    this.server = options.server
    this.certificates = options.certificates
    this.#folder = options.folder
    this.#password = options.password
  }

  /** Started and ready. `save` by hand makes a snapshot, which a start after a kill reads. */
  static async start({ password, tls = false }: { password?: string; tls?: boolean } = {}) {
    const folder = await mkdtemp(join(tmpdir(), 'cellfeed-redis-'))
    const certificates = tls ? await makeCertificates(join(folder, 'certificates')) : undefined
    const server = await startRedis({
      engines: { redisServer: 'redis-server' },
      folder,
      ...(password !== undefined && { password }),
      ...(certificates !== undefined && { certificates }),
    })
    return new OwnRedis({ server, certificates, folder, password })
  }

  get port(): number {
    return this.server.port
  }

  /** A client that may do everything; to be asked for anew after a kill. */
  admin(database = 0): Redis {
    const { host, port } = this.server
    const client = new Redis({
      host,
      port,
      db: database,
      connectionName: 'admin',
      password: this.#password,
      ...(this.certificates !== undefined && { tls: { ca: this.certificates.ca } }),
    })
    this.#clients.push(client)
    return client
  }

  async kill(): Promise<void> {
    for (const client of this.#clients.splice(0)) client.disconnect()
    await this.server.kill()
  }

  async end(): Promise<void> {
    await this.kill()
    await rm(this.#folder, { recursive: true })
  }
}
