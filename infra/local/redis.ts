// Redis on this machine, as a child process: a cache, so it keeps nothing on disk and evicts what was used least.

import { mkdir } from 'node:fs/promises'
import { redisAnswers } from './answers.ts'
import type { LocalCertificates } from './certificates.ts'
import { freePort } from './free-ports.ts'
import type { InstalledEngines } from './installed-engines.ts'
import { type Adopt, LocalServer } from './local-server.ts'

export type LocalRedisOptions = {
  readonly engines: Pick<InstalledEngines, 'redisServer'>
  /** Its log. */
  readonly folder: string
  /** Any free port by default. */
  readonly port?: number
  readonly memoryMb?: number
  /** See LocalServer: the server then outlives this process. */
  readonly adopt?: Adopt
  readonly password?: string
  /** Clients have to use TLS. */
  readonly certificates?: LocalCertificates
}
export type LocalRedis = LocalServer & { readonly host: string; readonly port: number }

const MEMORY_MB = 256
const READY_WITHIN_MS = 20_000

export async function startRedis(options: LocalRedisOptions): Promise<LocalRedis> {
  const { engines, folder, password, certificates } = options
  const host = '127.0.0.1'
  const port = options.port ?? (await freePort())
  const tls = certificates && { ca: certificates.ca, certificate: undefined, key: undefined }
  await mkdir(folder, { recursive: true })
  const settings = {
    bind: host,
    save: '',
    appendonly: 'no',
    maxmemory: `${options.memoryMb ?? MEMORY_MB}mb`,
    'maxmemory-policy': 'allkeys-lru',
    ...(password === undefined ? {} : { requirepass: password }),
    ...(certificates === undefined ? { port } : tlsSettings(port, certificates)),
  }
  const server = await LocalServer.start({
    name: 'redis',
    program: engines.redisServer,
    args: Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]),
    folder,
    answers: () => redisAnswers({ host, port, password, tls }),
    ports: [port],
    readyWithinMs: READY_WITHIN_MS,
    adopt: options.adopt,
  })
  return Object.assign(server, { host, port })
}

function tlsSettings(port: number, certificates: LocalCertificates) {
  return {
    port: 0,
    'tls-port': port,
    'tls-cert-file': certificates.certificatePath,
    'tls-key-file': certificates.keyPath,
    'tls-ca-cert-file': certificates.caPath,
    'tls-auth-clients': 'no',
  }
}
