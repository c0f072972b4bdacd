// A process of cellfeed (`cell`, `gateway`) as a server of its own: ready when its status page says so.

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { LocalServer } from '../../../infra/local/local-server.ts'
import { argvOf, type Flags } from '../../servers/cluster/cellfeed-process.ts'
import { cliPath, nodeFlags } from '../../../tools/demo/cluster-process.ts'

export type { Flags }

export type CellfeedCommand = {
  /** What its log is called. */
  readonly name: string
  readonly folder: string
  readonly statusPort: number
  readonly command: 'cell' | 'gateway'
  /** Its port among them. */
  readonly flags: Flags
}

const node = process.execPath
const readyWithinMs = 240_000
const answerMsMax = 2_000

export function startCellfeed(process: CellfeedCommand): Promise<LocalServer> {
  const { name, folder, statusPort, command, flags } = process
  return LocalServer.start({
    name,
    folder,
    program: node,
    args: [...nodeFlags, cliPath, command, ...argvOf({ ...flags, 'status-port': statusPort })],
    answers: async () => {
      const signal = AbortSignal.timeout(answerMsMax)
      const answer = await fetch(`http://127.0.0.1:${statusPort}/healthz/ready`, { signal })
      if (!answer.ok) throw new Error(`${name} is not ready: ${await answer.text()}`)
    },
    readyWithinMs,
    ports: [Number(flags['port']), statusPort],
    adopt: undefined,
  })
}

/** Runs a command to its end, and returns what it printed. Rejects with what it complained about. */
export async function runCellfeed(command: 'init', flags: Flags): Promise<string> {
  const { stdout } = await promisify(execFile)(node, [cliPath, command, ...argvOf(flags)])
  return stdout
}
