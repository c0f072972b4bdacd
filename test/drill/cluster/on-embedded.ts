// `cellfeed serve`: gateway, controller and all cells in one process, so whichever of them is to be killed, all are.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts } from '../../../infra/local/free-ports.ts'
import { ClusterProcess } from '../../../tools/demo/cluster-process.ts'
import { argvOf } from '../../servers/cluster/cellfeed-process.ts'
import { CELL_FLAGS, type DrilledCluster, type Killable } from './drilled-cluster.ts'

const readyWithinMs = 120_000

export async function startEmbedded(cells: number): Promise<DrilledCluster> {
  const root = await mkdtemp(join(tmpdir(), 'cellfeed-drill-'))
  const [port = 0, adminPort = 0, statusPort = 0] = await freePorts(3)
  const options = {
    folder: join(root, 'data'),
    ports: { port, adminPort, statusPort },
    flags: argvOf({ ...CELL_FLAGS, cells }),
    readyWithinMs,
  }
  let running = await ClusterProcess.start(options)
  // A folder that has a cluster knows its cells.
  const again = { ...options, flags: argvOf(CELL_FLAGS) }
  const all: Killable = {
    name: 'cellfeed serve',
    cells: [],
    isAll: true,
    kill: () => running.kill(),
    start: async () => {
      running = await ClusterProcess.start(again)
    },
  }
  return {
    address: running.address,
    adminAddress: running.adminAddress,
    runCell: async () => {},
    endCell: async () => {},
    processOf: () => all,
    stop: async () => {
      await running.stop()
      await rm(root, { recursive: true, force: true })
    },
  }
}
