// A Redis of a test's own, to be killed, stopped and filled: a process on a free port and a folder that goes with it.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Redis } from 'ioredis'

/** PEM files of a certificate that signs itself. */
export type CertificateFiles = { readonly certificate: string; readonly key: string }

export class OwnRedis {
  readonly port: number
  readonly folder: string
  readonly #args: readonly string[]
  #process: ChildProcess | undefined
  #admin: Redis | undefined

  private constructor(options: { port: number; folder: string; args: readonly string[] }) {
    this.port = options.port
    this.folder = options.folder
    this.#args = options.args
  }

  /** Started and ready. With a certificate it speaks TLS only, and only with who shows the same one. */
  static async start(args: readonly string[] = [], tls?: CertificateFiles): Promise<OwnRedis> {
    const folder = await mkdtemp(join(tmpdir(), 'cellfeed-redis-'))
    const port = await freePort()
    const listen = tls === undefined ? ['--port', `${port}`] : tlsArgs(port, tls)
    const redis = new OwnRedis({ port, folder, args: [...listen, ...args] })
    await redis.startAgain()
    return redis
  }

  /** After a kill: on the same port, with the snapshot that the folder holds. */
  async startAgain(): Promise<void> {
    const process = spawn(
      'redis-server',
      [
        '--bind',
        '127.0.0.1',
        '--dir',
        this.folder,
        '--save',
        '',
        '--appendonly',
        'no',
        ...this.#args,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    this.#process = process
    const ended = once(process, 'exit').then(() => Promise.reject(new Error('redis-server ended')))
    await Promise.race([ready(process), ended])
    ended.catch(() => undefined)
  }

  /** A client beside the cache, which sees what Redis holds. */
  get admin(): Redis {
    this.#admin ??= new Redis({ host: '127.0.0.1', port: this.port, connectionName: 'admin' })
    return this.#admin
  }

  /** Its process stands still: connections stay, nothing answers. */
  pause(): void {
    this.#process?.kill('SIGSTOP')
  }

  resume(): void {
    this.#process?.kill('SIGCONT')
  }

  async kill(): Promise<void> {
    this.#admin?.disconnect()
    this.#admin = undefined
    const process = this.#process
    this.#process = undefined
    if (process === undefined) return
    const ended = once(process, 'exit')
    process.kill('SIGKILL')
    await ended
  }

  async end(): Promise<void> {
    await this.kill()
    await rm(this.folder, { recursive: true })
  }
}

function tlsArgs(port: number, { certificate, key }: CertificateFiles): string[] {
  const files = [
    '--tls-cert-file',
    certificate,
    '--tls-key-file',
    key,
    '--tls-ca-cert-file',
    certificate,
  ]
  return ['--port', '0', '--tls-port', `${port}`, '--tls-auth-clients', 'yes', ...files]
}

async function ready(process: ChildProcess): Promise<void> {
  if (process.stdout === null) throw new Error('redis-server has no output')
  for await (const line of createInterface({ input: process.stdout })) {
    if (line.includes('Ready to accept connections')) break
  }
  process.stdout.resume()
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
