// A process for each cell, a gateway, a router and a controller, on Kafka, Cassandra and Redis: each part of a move is killed alone.

import { supervised } from '../../chaos/cluster/server.ts'
import type { CellfeedProcess } from '../../servers/cluster/cellfeed-process.ts'
import { ClusterProcesses } from '../../servers/cluster/cluster-processes.ts'
import type { Engines } from '../../servers/engines.ts'
import { CELL_FLAGS, type DrilledCluster, type Killable } from './drilled-cluster.ts'

export async function startOnServers(engines: Engines, cells: number): Promise<DrilledCluster> {
  const cluster = await ClusterProcesses.start({
    engines,
    cells,
    cellFlags: CELL_FLAGS,
    // Nothing moves but what a round moves, however slowly a killed cell starts.
    controllerFlags: { 'adopt-after': 'never' },
  })
  const running = new Map(cluster.cells.map((cell) => [String(cell.flags['name']), cell]))
  const cellNamed = (name: string): CellfeedProcess => {
    const cell = running.get(name)
    if (cell === undefined) throw new Error(`there is no process of ${name}`)
    return cell
  }
  return {
    address: cluster.gateway.address,
    adminAddress: cluster.controller.address,
    async runCell(cell) {
      const made = await cluster.init([])
      if (made.code !== 0) throw new Error(`cellfeed init: ${made.out}${made.err}`)
      const added = await cluster.another(cell)
      running.set(cell, added)
      await supervised(() => added.start())
    },
    async endCell(cell) {
      const ended = running.get(cell)
      running.delete(cell)
      await ended?.stop()
    },
    processOf(role, { from, to }) {
      if (role === 'controller') return killable('controller', cluster.controller, [])
      const cell = role === 'source' ? from : to
      return killable(cell, cellNamed(cell), [cell])
    },
    stop: () => cluster.stop(),
  }
}

function killable(name: string, process: CellfeedProcess, cells: readonly string[]): Killable {
  return {
    name,
    cells,
    isAll: false,
    kill: () => process.kill(),
    start: () => supervised(() => process.start()),
  }
}
