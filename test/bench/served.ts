// `cellfeed serve` as a user starts it, in a folder that goes with it, and the commands that a user would type.

import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClusterProcess, freePorts } from '../../tools/demo/cluster-process.ts'
import { runCli } from '../e2e/run-cli.ts'

export type Served = {
  readonly pid: number | undefined
  readonly address: string
  readonly adminAddress: string
  /** The JSON lines that a command prints. */
  readonly cli: (args: readonly string[]) => Promise<unknown[]>
  /** Until every cell serves. */
  readonly ready: () => Promise<void>
  /** A figure of its metrics, of all cells together. */
  readonly metric: (name: string) => Promise<number>
}

const TRIES_MAX = 1_000
/** Some calls failed: the table that it prints says which. */
const TOLERATED = 'load'

export async function withServed(
  cells: number,
  use: (served: Served) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'cellfeed-bench-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  // What runs and what it has written goes when this does.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
  const flags = ['--cells', String(cells)]
  const server = await ClusterProcess.start({ folder, ports: await freePorts(), flags })
  const { pid, address, adminAddress } = server
  const cli = async (args: readonly string[]): Promise<unknown[]> => {
    const { code, out, err } = await runCli(args, server)
    if (code !== 0 && args[0] !== TOLERATED) {
      throw new Error(`cellfeed ${args.join(' ')} ended with ${code}\n${out}${err}`)
    }
    const lines = out.split('\n').filter((line) => line.startsWith('{'))
    return lines.map((line) => JSON.parse(line) as unknown)
  }
  const ready = async (): Promise<void> => {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      if ((await runCli(['cells'], server)).code === 0) return
    }
    throw new Error('the server does not serve')
  }
  const metric = async (name: string): Promise<number> => {
    const text = await (await fetch(`${server.statusUrl}/metrics`)).text()
    const lines = text.split('\n').filter((line) => line.startsWith(name) && !line.startsWith('#'))
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
  }
  try {
    await ready()
    await use({ pid, address, adminAddress, cli, ready, metric })
  } finally {
    await server.stop()
  }
}
