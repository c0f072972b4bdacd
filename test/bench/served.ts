// `cellfeed serve` as a user starts it, in a folder that goes with it, and the commands that a user would type.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts } from '../../infra/local/free-ports.ts'
import { cliPath } from '../../tools/demo/cluster-process.ts'

export type Served = {
  readonly address: string
  readonly adminAddress: string
  /** The JSON lines that a command prints. */
  readonly cli: (args: readonly string[]) => Promise<unknown[]>
  /** Until every cell serves. */
  readonly ready: () => Promise<void>
}

const TRIES_MAX = 100
/** Some calls failed: the table that it prints says which. */
const TOLERATED = 'load'

export async function withServed(
  cells: number,
  use: (served: Served) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'cellfeed-bench-'))
  const ports = await freePorts(3)
  const [address = '', adminAddress = ''] = ports.map((port) => `127.0.0.1:${port}`)
  const flags = ['--port', '--admin-port', '--status-port'].flatMap((flag, i) => [
    flag,
    String(ports[i]),
  ])
  const server = spawn(
    process.execPath,
    [cliPath, 'serve', '--cells', String(cells), '--data', folder, ...flags],
    { stdio: ['ignore', 'ignore', 'ignore'] },
  )
  const exited = once(server, 'exit')
  const env = { CELLFEED_ADDRESS: address, CELLFEED_ADMIN_ADDRESS: adminAddress }
  const cli = async (args: readonly string[]): Promise<unknown[]> => {
    const { code, out } = await run(args, env)
    if (code !== 0 && args[0] !== TOLERATED) {
      throw new Error(`cellfeed ${args.join(' ')} ended with ${code}\n${out}`)
    }
    return out
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as unknown)
  }
  const ready = async (): Promise<void> => {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      if ((await run(['cells'], env)).code === 0) return
    }
    throw new Error('the server does not serve')
  }
  try {
    await ready()
    await use({ address, adminAddress, cli, ready })
  } finally {
    server.kill()
    await exited
    await rm(folder, { recursive: true, force: true })
  }
}

async function run(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ readonly code: number | null; readonly out: string }> {
  const child = spawn(process.execPath, [cliPath, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  })
  let out = ''
  const keep = (chunk: Buffer): void => {
    out += chunk.toString()
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  await once(child, 'close')
  return { code: child.exitCode, out }
}
