// The processes of a cluster on one machine do not get into each other's way.

import { expect, test } from 'vitest'
import { CELLS_MAX, readClusterConfig } from '../../../../tools/cluster/config.ts'
import { ENGINE_PORTS, initArgs, plannedProcesses } from '../../../../tools/cluster/plan.ts'

test('however many cells: every port is used once', () => {
  const processes = plannedProcesses(CELLS_MAX)
  const ports = processes.flatMap(({ args }) =>
    args.filter((_, at) => ['--port', '--status-port'].includes(args[at - 1] ?? '')).map(Number),
  )
  const all = [...ports, ...Object.values(ENGINE_PORTS)]
  expect(ports).toHaveLength(2 * processes.length)
  expect(new Set(all).size).toBe(all.length)
})

test('cells are named as init makes them, and start before those who ask them', () => {
  const names = plannedProcesses(3).map(({ name }) => name)
  expect(names).toEqual(['cell-1', 'cell-2', 'cell-3', 'controller', 'router', 'gateway'])
  expect(initArgs(3).join(' ')).toContain('--cells 3 --replication 1')
})

test('what is told wrongly is said', () => {
  const read = (...argv: string[]) => readClusterConfig(argv, {})
  expect(read('up', '--cells', '3')).toMatchObject({ task: 'up', cells: 3, engines: undefined })
  expect(() => read('up', '--cells', 'many')).toThrow('--cells wants a whole number')
  expect(() => read('up', '--engines', 'both')).toThrow('--engines wants containers or processes')
  expect(() => read('up', '--shells', '3')).toThrow(/--shells[^]*usage: make up/)
  expect(() => read('sideways')).toThrow('usage: make up')
})
