// What `make up` and `make down` can be told: flags (ARGS="--cells 3") and the environment. Read here and nowhere else.

import { resolve } from 'node:path'
import { parseArgs } from 'node:util'

export type ClusterTask = 'up' | 'down'
export type ClusterConfig = {
  readonly task: ClusterTask
  readonly folder: string
  readonly cells: number
  /** Undefined: containers where a container engine answers, else processes. */
  readonly engines: 'containers' | 'processes' | undefined
  /** Where Kafka's and Cassandra's jars are kept; undefined: .cache/cellfeed in the user's home. */
  readonly cacheFolder: string | undefined
  readonly javaHome: string | undefined
}

export const CELLS_MAX = 8
const USAGE = `usage: make up ARGS="--cells <1-${CELLS_MAX}> --folder <folder> --engines <containers|processes>"
       make down ARGS="--folder <folder>"`

export class UsageError extends Error {
  readonly code = 'usage'
}

export function readClusterConfig(
  argv = process.argv.slice(2),
  environment = process.env,
): ClusterConfig {
  const { values, positionals } = parse(argv)
  const [task] = positionals
  if (task !== 'up' && task !== 'down') throw new UsageError(USAGE)
  const cells = Number(values.cells)
  if (!Number.isInteger(cells) || cells < 1 || cells > CELLS_MAX) {
    throw new UsageError(`--cells wants a whole number from 1 to ${CELLS_MAX}`)
  }
  const { engines } = values
  if (engines !== undefined && engines !== 'containers' && engines !== 'processes') {
    throw new UsageError('--engines wants containers or processes')
  }
  return {
    task,
    folder: resolve(values.folder),
    cells,
    engines,
    cacheFolder: environment.CELLFEED_ENGINES || undefined,
    javaHome: environment.JAVA_HOME || undefined,
  }
}

function parse(argv: string[]) {
  try {
    return parseArgs({
      args: argv,
      allowPositionals: true,
      options: {
        cells: { type: 'string', default: '2' },
        folder: { type: 'string', default: 'cellfeed-cluster' },
        engines: { type: 'string' },
      },
    })
  } catch (cause) {
    throw new UsageError(`${cause instanceof Error ? cause.message : String(cause)}\n${USAGE}`, {
      cause,
    })
  }
}
