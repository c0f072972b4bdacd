// Cassandra on this machine, as a child process: one node.

import { readdirSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { askCassandra, cassandraAnswers } from './answers.ts'
import { CASSANDRA_MODULE_FLAGS } from './cassandra-flags.ts'
import { type CommitLogSync, cassandraYaml } from './cassandra-yaml.ts'
import type { LocalCertificates } from './certificates.ts'
import { freePorts } from './free-ports.ts'
import type { InstalledEngines } from './installed-engines.ts'
import { jvmFlags } from './jvm-flags.ts'
import { type Adopt, LocalServer } from './local-server.ts'

export type LocalCassandraOptions = {
  readonly engines: InstalledEngines
  /** Data, configuration and logs; an absolute path. A folder used before is gone on with. */
  readonly folder: string
  /** Where clients connect; any free port by default. */
  readonly port?: number
  /** Where `nodetool` connects; any free port by default. */
  readonly jmxPort?: number
  readonly heapMb?: number
  readonly quickStart?: boolean
  /** See LocalServer: the server then outlives this process. */
  readonly adopt?: Adopt
  /** `batch` by default: one node alone is to keep what it acknowledged. */
  readonly commitLog?: CommitLogSync
  /** Clients have to log in as this user, who may do everything. */
  readonly credentials?: { readonly username: string; readonly password: string }
  /** Clients have to use TLS. */
  readonly certificates?: LocalCertificates
}
export type LocalCassandra = LocalServer & {
  readonly contactPoints: readonly string[]
  readonly localDataCenter: string
  readonly jmxPort: number
}

const HEAP_MB = 1_024
const READY_WITHIN_MS = 180_000
/** What SimpleSnitch calls the only one there is. */
const DATA_CENTER = 'datacenter1'
/** Made by Cassandra itself when it first starts with passwords. */
const FIRST_CREDENTIALS = { username: 'cassandra', password: 'cassandra' }

export async function startCassandra(options: LocalCassandraOptions): Promise<LocalCassandra> {
  const { folder, certificates, credentials } = options
  const [freeClientPort = 0, storagePort = 0, freeJmxPort = 0] = await freePorts(3)
  const clientPort = options.port ?? freeClientPort
  const jmxPort = options.jmxPort ?? freeJmxPort
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'logback.xml'), CASSANDRA_LOGGING)
  await writeFile(
    join(folder, 'cassandra.yaml'),
    cassandraYaml({
      dataFolder: join(folder, 'data'),
      clientHost: '127.0.0.1',
      clientPort,
      storagePort,
      commitLog: options.commitLog ?? 'batch',
      passwords: credentials !== undefined,
      certificates,
    }),
  )
  const address = { contactPoints: [`127.0.0.1:${clientPort}`], localDataCenter: DATA_CENTER }
  const server = await LocalServer.start({
    name: 'cassandra',
    program: options.engines.java,
    args: javaArgs(options, jmxPort),
    folder,
    answers: () => answers(options, address),
    ports: [clientPort, storagePort, jmxPort],
    readyWithinMs: READY_WITHIN_MS,
    adopt: options.adopt,
  })
  return Object.assign(server, { ...address, jmxPort })
}

/** With credentials: as the user they name, who is made at the first start. */
async function answers(
  options: LocalCassandraOptions,
  address: { readonly contactPoints: readonly string[]; readonly localDataCenter: string },
): Promise<void> {
  const { certificates, credentials } = options
  const tls = certificates && { ca: certificates.ca, certificate: undefined, key: undefined }
  try {
    await cassandraAnswers({ ...address, tls, credentials })
  } catch (thrown) {
    if (credentials === undefined) throw thrown
    const { username, password } = credentials
    await askCassandra(
      { ...address, tls, credentials: FIRST_CREDENTIALS },
      `CREATE ROLE IF NOT EXISTS '${username}' WITH PASSWORD = '${password}' AND SUPERUSER = true AND LOGIN = true`,
    )
    await cassandraAnswers({ ...address, tls, credentials })
  }
}

/** Finds the agent with which Cassandra measures its objects, and without which it does not start. */
export function memoryMeter(jars: string): string {
  const jar = readdirSync(jars).find((name) => /^jamm-.*\.jar$/.test(name))
  if (jar === undefined) throw new Error(`no jamm jar in ${jars}`)
  return join(jars, jar)
}

function javaArgs(options: LocalCassandraOptions, jmxPort: number): string[] {
  const { engines, folder, heapMb = HEAP_MB, quickStart = false } = options
  const properties = {
    'cassandra.config': `file://${join(folder, 'cassandra.yaml')}`,
    'cassandra.storagedir': join(folder, 'data'),
    'cassandra.jmx.local.port': jmxPort,
    'logback.configurationFile': join(folder, 'logback.xml'),
    // A node alone has nobody to wait for.
    'cassandra.ring_delay_ms': 0,
    'cassandra.skip_wait_for_gossip_to_settle': 0,
    'cassandra.superuser_setup_delay_ms': 0,
  }
  return [
    ...jvmFlags({ heapMb, quickStart }),
    `-javaagent:${memoryMeter(engines.cassandra)}`,
    ...CASSANDRA_MODULE_FLAGS,
    ...Object.entries(properties).map(([key, value]) => `-D${key}=${value}`),
    '-cp',
    join(engines.cassandra, '*'),
    'org.apache.cassandra.service.CassandraDaemon',
  ]
}

export const CASSANDRA_LOGGING = `<configuration>
  <appender name="console" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%date %-5level %logger{0}: %msg%n</pattern></encoder>
  </appender>
  <root level="WARN"><appender-ref ref="console"/></root>
</configuration>
`
