// What runs where in a cluster on one machine: addresses, and the flags of each process.

export const ENGINE_PORTS = { kafka: 7490, cassandra: 7491, redis: 7492 } as const

export type PlannedProcess = {
  readonly name: string
  readonly statusPort: number
  /** Of the command `cellfeed`. */
  readonly args: readonly string[]
}

const DATA_CENTER = 'datacenter1'
const FIRST_CELL_PORT = 7410
const PORTS_PER_CELL = 10

const kafka = ['--kafka', `127.0.0.1:${ENGINE_PORTS.kafka}`]
const cassandra = [
  '--cassandra',
  `127.0.0.1:${ENGINE_PORTS.cassandra}`,
  '--datacenter',
  DATA_CENTER,
]
const redis = ['--redis', `redis://127.0.0.1:${ENGINE_PORTS.redis}/0`]

/** One broker and one node have one copy to give. */
export function initArgs(cells: number): string[] {
  return ['init', ...kafka, ...cassandra, '--cells', String(cells), '--replication', '1']
}

/** In the order of their start; those who answer clients come last. */
export function plannedProcesses(cells: number): PlannedProcess[] {
  const cellProcesses = Array.from({ length: cells }, (_, at) => {
    const port = FIRST_CELL_PORT + at * PORTS_PER_CELL
    const name = `cell-${at + 1}`
    const args = ['cell', '--name', name, ...kafka, ...cassandra, ...redis]
    return planned({ name, args, port, statusPort: port + 1 })
  })
  return [
    ...cellProcesses,
    planned({
      name: 'controller',
      args: ['controller', ...kafka, ...cassandra],
      port: 7401,
      statusPort: 7404,
    }),
    planned({ name: 'router', args: ['router', ...cassandra], port: 7403, statusPort: 7405 }),
    planned({
      name: 'gateway',
      args: ['gateway', ...kafka, ...cassandra],
      port: 7400,
      statusPort: 7402,
    }),
  ]
}

function planned(process: {
  readonly name: string
  readonly args: readonly string[]
  readonly port: number
  readonly statusPort: number
}): PlannedProcess {
  const { name, args, port, statusPort } = process
  const ports = ['--port', String(port), '--status-port', String(statusPort)]
  return { name, statusPort, args: [...args, ...ports] }
}
