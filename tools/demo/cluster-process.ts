// `cellfeed serve` as a child process: started, found ready, killed, started again, stopped. It leaves
// no process behind: whoever started it ends it, also when this process exits for another reason.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { connect } from '../../services/client/connect.ts'

export const root = join(import.meta.dirname, '../..')
export const cliPath = join(root, 'dist/services/cli/main.js')
/** As in the command's own first line, for who starts it by node. */
export const nodeFlags = ['--max-semi-space-size=64', '--v8-pool-size=1']

export interface ClusterPorts {
  readonly port: number
  readonly adminPort: number
  readonly statusPort: number
}

/** Ports that nobody listens on: found together, so that they are different. */
export async function freePorts(): Promise<ClusterPorts> {
  const servers = await Promise.all(
    [0, 1, 2].map(async () => {
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      return server
    }),
  )
  const [port, adminPort, statusPort] = servers.map((server) => {
    const address = server.address()
    server.close()
    return typeof address === 'object' && address ? address.port : 0
  })
  await Promise.all(servers.map((server) => once(server, 'close')))
  if (!port || !adminPort || !statusPort) throw new Error('no free ports')
  return { port, adminPort, statusPort }
}

export interface ClusterOptions {
  readonly folder: string
  readonly ports: ClusterPorts
  /** Further flags of `cellfeed serve`. */
  readonly flags?: readonly string[]
  readonly readyWithinMs?: number
}

export class ClusterProcess {
  readonly address: string
  readonly adminAddress: string
  readonly statusUrl: string
  /** From the start of the process to the first answered read. */
  readonly readyMs: number
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown>
  readonly #killAtExit: () => void

  private constructor(child: ChildProcess, ports: ClusterPorts, readyMs: number) {
    this.address = `127.0.0.1:${ports.port}`
    this.adminAddress = `127.0.0.1:${ports.adminPort}`
    this.statusUrl = `http://127.0.0.1:${ports.statusPort}`
    this.readyMs = readyMs
    this.#child = child
    this.#exited = hasExited(child) ? Promise.resolve() : once(child, 'exit')
    this.#killAtExit = () => void child.kill('SIGKILL')
    // Before the folder is removed, which is a listener too.
    process.prependOnceListener('exit', this.#killAtExit)
  }

  static async start(options: ClusterOptions): Promise<ClusterProcess> {
    const { folder, ports, flags = [], readyWithinMs = 20_000 } = options
    const places = ['--data', folder, '--port', ports.port, '--admin-port', ports.adminPort]
    const argv = [
      ...nodeFlags,
      cliPath,
      'serve',
      ...places,
      '--status-port',
      ports.statusPort,
      ...flags,
    ]
    const startedMs = performance.now()
    const child = spawn(process.execPath, argv.map(String), { stdio: ['ignore', 'pipe', 'pipe'] })
    const said: string[] = []
    const listen = (chunk: Buffer) => {
      said.push(chunk.toString())
      if (said.length > 100) said.shift()
    }
    child.stdout.on('data', listen)
    child.stderr.on('data', listen)
    try {
      await untilReady(child, ports, startedMs + readyWithinMs)
    } catch (cause) {
      child.kill('SIGKILL')
      throw new Error(`cellfeed serve did not get ready: ${said.join('').trim()}`, { cause })
    }
    return new ClusterProcess(child, ports, performance.now() - startedMs)
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /** kill -9: no warning, nothing saved, nothing closed. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#gone()
  }

  /** Lets it end its work; kills it if it does not. Returns its exit code. */
  async stop(withinMs = 15_000): Promise<number | null> {
    this.#child.kill('SIGTERM')
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), withinMs)
    await this.#gone()
    clearTimeout(timer)
    return this.#child.exitCode
  }

  async #gone(): Promise<void> {
    await this.#exited
    process.removeListener('exit', this.#killAtExit)
  }
}

function hasExited(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

/** A read is answered, which needs firehose, router and the reader's cell. */
async function untilReady(child: ChildProcess, ports: ClusterPorts, deadlineMs: number) {
  for (;;) {
    if (hasExited(child)) throw new Error(`it ended with code ${child.exitCode}`)
    const feed = connect(`127.0.0.1:${ports.port}`, { retry: { attemptsMax: 1 }, timeoutMs: 2_000 })
    try {
      await feed.dashboard('ready?')
      return
    } catch (thrown) {
      if (performance.now() > deadlineMs) throw thrown
      await wait(20)
    } finally {
      feed.close()
    }
  }
}
