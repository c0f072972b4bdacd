// All benches on the real engines, one after the other, each in a process of its own: `make bench-servers`, or
// `make bench-servers ARGS="replay restart"` for some. The engines are started for it, alone on this machine and with empty folders,
// unless it is told which to use (--kafka, --cassandra, --redis). Some 20 minutes; sustained takes five of them.

import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startCassandra } from '../../../infra/local/cassandra.ts'
import { installEngines } from '../../../infra/local/installed-engines.ts'
import { startKafka } from '../../../infra/local/kafka.ts'
import type { LocalServer } from '../../../infra/local/local-server.ts'
import { startRedis } from '../../../infra/local/redis.ts'
import { nodeFlags } from '../../../tools/demo/cluster-process.ts'
import { readServersConfig } from '../../servers/config.ts'

const BENCHES = [
  'sustained',
  'rows-per-delivery',
  'sorted-sets',
  'replay',
  'visible',
  'dashboards',
  'restart',
]
const CASSANDRA_HEAP_MB = 2_048
const KAFKA_HEAP_MB = 512
/** The peer keeps what it delivers in memory. */
const REDIS_MEMORY_MB = 4_096

const args = process.argv.slice(2)
const asked = args.filter((arg) => !arg.startsWith('--'))
const flags = args.filter((arg) => arg.startsWith('--'))
const unknown = asked.filter((name) => !BENCHES.includes(name))
if (unknown.length > 0) {
  console.error(`no bench is called ${unknown.join(', ')}; there are ${BENCHES.join(', ')}`)
  console.error('flags are written with =, as in --kafka=127.0.0.1:9092')
  process.exit(2)
}
const engines = flags.some((flag) => flag.startsWith('--kafka=')) ? undefined : await start()
try {
  for (const name of asked.length === 0 ? BENCHES : asked) {
    console.log(`\n${name}`)
    const code = await run(name, [...(engines?.flags ?? []), ...flags])
    if (code !== 0) process.exitCode = code
  }
} finally {
  await engines?.stop()
}

async function start(): Promise<{
  readonly flags: readonly string[]
  readonly stop: () => Promise<void>
}> {
  const installed = await installEngines(readServersConfig())
  const folder = await mkdtemp(join(tmpdir(), 'cellfeed-bench-'))
  const started: LocalServer[] = []
  const stop = async () => {
    await Promise.all(started.map((server) => server.kill()))
    await rm(folder, { recursive: true, force: true })
  }
  const note = <S extends LocalServer>(server: S): S => {
    started.push(server)
    return server
  }
  const at = (name: string, heapMb: number) => ({
    engines: installed,
    folder: join(folder, name),
    heapMb,
  })
  try {
    const kafka = note(await startKafka(at('kafka', KAFKA_HEAP_MB)))
    // As Cassandra does by default, where other replicas have what a killed node loses.
    const commitLog = { commitLog: 'periodic' as const }
    const cassandra = note(
      await startCassandra({ ...at('cassandra', CASSANDRA_HEAP_MB), ...commitLog }),
    )
    const redis = note(
      await startRedis({
        engines: installed,
        folder: join(folder, 'redis'),
        memoryMb: REDIS_MEMORY_MB,
      }),
    )
    const found = [`--kafka=${kafka.brokers[0]}`, `--cassandra=${cassandra.contactPoints[0]}`]
    return { flags: [...found, `--redis=${redis.host}:${redis.port}`], stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function run(name: string, benchFlags: readonly string[]): Promise<number> {
  const file = fileURLToPath(new URL(`${name}.ts`, import.meta.url))
  const flagsOfNode = [...process.execArgv, '--max-old-space-size=8192', ...nodeFlags]
  const child = spawn(process.execPath, [...flagsOfNode, file, ...benchFlags], { stdio: 'inherit' })
  return new Promise((resolve) => child.on('exit', (code) => resolve(code ?? 1)))
}
