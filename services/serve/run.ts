// `cellfeed serve` as a process: starts the cluster, says so in one line, and drains at SIGTERM or Ctrl-C. What the user got
// wrong is one line and exit code 2.

import { setMaxListeners } from 'node:events'
import { OtherCells } from '../controller/first-placement.ts'
import { EXIT_FAILED, EXIT_OK, EXIT_USAGE, stopSignal } from '../runtime/lifecycle.ts'
import { ListenError } from '../runtime/listen-error.ts'
import type { ServeConfig } from './config.ts'
import { type RunningCluster, serve } from './main.ts'

type Output = {
  /** A line for who reads standard output: here, that it is ready. */
  readonly out: (line: string) => void
  /** A line for people. */
  readonly note: (line: string) => void
}
export type ServeExit = typeof EXIT_OK | typeof EXIT_FAILED | typeof EXIT_USAGE

const LISTENERS_MAX = 10_000

/** Resolves with the exit code when the cluster is down. */
export async function runServe(config: ServeConfig, { out, note }: Output): Promise<ServeExit> {
  // Many activities of a cell wait with the one signal that stops it: no leak, and nothing to warn of.
  setMaxListeners(LISTENERS_MAX)
  const stopping = stopSignal()
  let cluster: RunningCluster
  try {
    cluster = await serve(config)
  } catch (error) {
    const { line, exit } = startFailure(error, config)
    note(`cellfeed: ${line}`)
    return exit
  }
  const { address, adminAddress, statusAddress, cells } = cluster
  out(
    `ready: API ${address}, admin ${adminAddress}, metrics http://${statusAddress}/metrics, ` +
      `${cells.length} ${cells.length === 1 ? 'cell' : 'cells'}, data in ${config.dataFolder}`,
  )
  note(`${await stopping}: draining; again to stop at once`)
  try {
    await cluster.stop()
    return EXIT_OK
  } catch (error) {
    note(`cellfeed: did not stop cleanly: ${messageOf(error)}; nothing acknowledged is lost`)
    return EXIT_FAILED
  }
}

function startFailure(error: unknown, config: ServeConfig): { line: string; exit: ServeExit } {
  if (error instanceof ListenError) {
    const flag = flagOfPort(error.port, config)
    return { line: `${error.message}; choose another with ${flag}`, exit: EXIT_USAGE }
  }
  if (error instanceof OtherCells) {
    const line = `${config.dataFolder} was made with ${error.cells.length} cells; start with --cells ${error.cells.length}, or name another folder with --data`
    return { line, exit: EXIT_USAGE }
  }
  const isFolder = error instanceof Error && error.name === 'DataFolderError'
  if (isFolder) return { line: error.message, exit: EXIT_USAGE }
  return { line: `could not start: ${messageOf(error)}`, exit: EXIT_FAILED }
}

function flagOfPort(port: number, config: ServeConfig): string {
  if (port === config.port) return '--port'
  return port === config.adminPort ? '--admin-port' : '--status-port'
}

function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message.split('\n')[0] ?? message
}
