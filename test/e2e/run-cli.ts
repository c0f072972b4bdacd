// The built `cellfeed` command as a child process.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cliPath } from '../../tools/demo/cluster-process.ts'

export interface Ran {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export interface RunOptions {
  readonly address?: string
  readonly adminAddress?: string
  readonly stdin?: string
}

export function startCli(argv: readonly string[], options: RunOptions = {}) {
  return spawn(process.execPath, [cliPath, ...argv], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      ...process.env,
      CELLFEED_ADDRESS: options.address ?? '',
      CELLFEED_ADMIN_ADDRESS: options.adminAddress ?? '',
    },
  })
}

export type RunningCli = ReturnType<typeof startCli>

/** Runs a command to its end. */
export async function runCli(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const child = startCli(argv, options)
  const ran = collect(child)
  // A command that does not read its input closes the pipe.
  child.stdin.on('error', () => {})
  child.stdin.end(options.stdin ?? '')
  return await ran
}

/** What a command prints until it ends. */
export async function collect(child: RunningCli): Promise<Ran> {
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString()
  })
  await once(child, 'close')
  return { code: child.exitCode, out, err }
}

/** Resolves when a stream has printed this. */
export function printed(stream: NodeJS.ReadableStream, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let all = ''
    stream.on('data', (chunk: Buffer) => {
      all += chunk.toString()
      if (all.includes(text)) resolve()
    })
    stream.on('end', () => reject(new Error(`"${text}" was not printed, but: ${all}`)))
  })
}
