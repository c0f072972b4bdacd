// `cellfeed serve` as a process: what the user got wrong is one line and exit code 2.

import { OtherCells } from '../controller/first-placement.ts'
import { EXIT_USAGE } from '../runtime/lifecycle.ts'
import { type Output, type ProcessExit, runProcess, StartFailure } from '../runtime/run-process.ts'
import type { ServeConfig } from './config.ts'
import { startServe } from './main.ts'

/** Resolves with the exit code when the cluster is down. */
export function runServe(config: ServeConfig, output: Output): Promise<ProcessExit> {
  return runProcess(
    async (closing) => {
      const cluster = await startServe(config, closing).catch((error: unknown) => {
        throw wrongFolder(error, config) ?? error
      })
      const { address, adminAddress, statusAddress, cells } = cluster
      const count = `${cells.length} ${cells.length === 1 ? 'cell' : 'cells'}`
      const ready = `API ${address}, admin ${adminAddress}, metrics http://${statusAddress}/metrics, ${count}, data in ${config.dataFolder}`
      return { ready }
    },
    output,
    (port) => flagOfPort(port, config),
  )
}

function wrongFolder(error: unknown, config: ServeConfig): StartFailure | undefined {
  if (error instanceof OtherCells) {
    const line = `${config.dataFolder} was made with ${error.cells.length} cells; start with --cells ${error.cells.length}, or name another folder with --data`
    return new StartFailure(line, EXIT_USAGE, { cause: error })
  }
  const isFolder = error instanceof Error && error.name === 'DataFolderError'
  return isFolder ? new StartFailure(error.message, EXIT_USAGE, { cause: error }) : undefined
}

function flagOfPort(port: number, config: ServeConfig): string {
  if (port === config.port) return '--port'
  return port === config.adminPort ? '--admin-port' : '--status-port'
}
