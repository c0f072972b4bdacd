// What is started wrongly says so in one line, with what to do; the exit code tells whether another try can help.

import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest'
import { type Ran, runCli } from '../../e2e/run-cli.ts'
import { cliPath } from '../../../tools/demo/cluster-process.ts'
import { argvOf, type Flags } from './cellfeed-process.ts'
import { ClusterProcesses } from './cluster-processes.ts'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 })

let cluster: ClusterProcesses
beforeAll(async () => {
  if (!existsSync(cliPath)) throw new Error('not built: run make build first')
  cluster = await ClusterProcesses.startNone({ engines: inject('engines'), cells: 1 })
})
afterAll(() => cluster?.stop())

const hasty = { 'engine-patience': '500ms', 'log-level': 'error', port: 0, 'status-port': 0 }

function run(command: string, flags: Flags, more: readonly string[] = []): Promise<Ran> {
  return runCli([command, ...argvOf({ ...flags, ...hasty }), ...more])
}

function expectOneLine(ran: Ran, code: number, line: RegExp): void {
  expect(ran.err.trim().split('\n')).toHaveLength(1)
  expect(ran.err).toMatch(line)
  expect([ran.code, ran.out]).toEqual([code, ''])
}

describe('init', () => {
  test('repeated, finds everything there', async () => {
    const again = await cluster.init([])
    expect(again.code).toBe(0)
    expect(again.out).not.toMatch(/^(made|differs)/m)
    expect(again.out).toMatch(/^ready: cluster \w+ with cell-1$/m)
  })

  test('refuses other numbers than the cluster was made with, all of them at once', async () => {
    const other = await cluster.init(['--cells', '3', '--partitions', '4'])
    expect(other.code).toBe(1)
    expect(other.err).toMatch(/made with 1 cell, not 3.*made with 8 partitions a topic, not 4/)
  })

  test('says what differs, and runs with it', async () => {
    const other = await cluster.init(['--retention', '3d'])
    expect(other.code).toBe(0)
    expect(other.out).toMatch(/^differs +topic \S+: retention.ms is 604800000, wanted: 259200000$/m)
  })

  test('prints what an administrator runs, without any server', async () => {
    const printed = await runCli(['init', '--print', '--cells', '1', '--prefix', 'feeds'])
    expect(printed.code).toBe(0)
    expect(printed.out).toMatch(/kafka-topics.sh .*--topic feeds.public/)
    expect(printed.out).toMatch(/CREATE KEYSPACE IF NOT EXISTS feeds_cell_1 /)
    expect(printed.out).not.toContain('feeds_cell_2')
  })
})

describe('a process', () => {
  test.each(['cell', 'gateway', 'controller', 'router'])('%s of no cluster', async (command) => {
    const isCell = command === 'cell'
    const flags = command === 'gateway' ? cluster.engineFlags : cluster.controlFlags
    const named = isCell ? { ...cluster.cellFlags('cell-1') } : flags
    const ran = await run(command, { ...named, prefix: `${cluster.prefix}_not` })
    expectOneLine(ran, 2, /is not set up for this cluster: .*cellfeed init/)
  })

  test('a cell that the cluster does not have', async () => {
    const ran = await run('cell', cluster.cellFlags('cell-9'))
    expectOneLine(ran, 2, /cell-9 is no cell of this cluster, which has cell-1/)
  })

  test('a Cassandra that is not there', async () => {
    const ran = await run('controller', { ...cluster.controlFlags, cassandra: '127.0.0.1:9' })
    expectOneLine(ran, 1, /Cassandra at 127.0.0.1:9 does not answer: .*--cassandra/)
  })

  test('a Kafka that is not there', async () => {
    const ran = await run('gateway', { ...cluster.engineFlags, kafka: '127.0.0.1:9' })
    expectOneLine(ran, 1, /Kafka at 127.0.0.1:9 does not answer: .*--kafka/)
  })

  test('another data center', async () => {
    const ran = await run('controller', { ...cluster.controlFlags, datacenter: 'nowhere' })
    expectOneLine(ran, 2, /Cassandra at \S+ refuses this process: .*data center/)
  })

  test('a port that is taken', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve)
    })
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const flags = { ...cluster.controlFlags, 'status-port': 0, 'log-level': 'error', port }
    const ran = await runCli(['controller', ...argvOf(flags)])
    server.close()
    expectOneLine(ran, 2, /port \d+ of 127.0.0.1 is taken by another program; .*--port/)
  })
})
