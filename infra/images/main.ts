// Builds images of Kafka, Cassandra and Redis without pulling any: `make images`. Needs root, debootstrap, Maven, and
// podman or docker. An argument names the folder where jars are kept.

import { execFileSync } from 'node:child_process'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { CASSANDRA_LOGGING, memoryMeter } from '../local/cassandra.ts'
import { CASSANDRA_MODULE_FLAGS } from '../local/cassandra-flags.ts'
import { cassandraYaml } from '../local/cassandra-yaml.ts'
import { ENGINE_VERSIONS, fetchJars } from '../local/engine-jars.ts'
import { KAFKA_LOGGING } from '../local/kafka.ts'

const SUITE = 'bookworm'
const PACKAGES = ['openjdk-17-jre-headless', 'redis-server']
const IMAGES = {
  kafka: `localhost/cellfeed-kafka:${ENGINE_VERSIONS.kafka}`,
  cassandra: `localhost/cellfeed-cassandra:${ENGINE_VERSIONS.cassandra}`,
  redis: 'localhost/cellfeed-redis:7',
}

const [cacheFolder = join(homedir(), '.cache', 'cellfeed')] = process.argv.slice(2)
const folder = await mkdtemp(join(tmpdir(), 'cellfeed-images-'))
try {
  await makeContext(folder, cacheFolder)
  const builder = buildCommand()
  for (const [target, image] of Object.entries(IMAGES)) {
    run(builder, ['build', '--quiet', '--target', target, '--tag', image, folder])
    console.log(image)
  }
} finally {
  await rm(folder, { recursive: true, force: true })
}

async function makeContext(context: string, cache: string): Promise<void> {
  const at = (name: string) => join(context, name)
  run('debootstrap', [
    '--variant=minbase',
    `--include=${PACKAGES.join(',')}`,
    SUITE,
    at('debian'),
    debianMirror(),
  ])
  run('tar', ['-C', at('debian'), '--exclude=./dev/*', '-cf', at('debian.tar'), '.'])
  await rm(at('debian'), { recursive: true })
  const jars = await fetchJars(cache, 'cassandra')
  await cp(jars, at('cassandra'), { recursive: true })
  await cp(await fetchJars(cache, 'kafka'), at('kafka'), { recursive: true })
  for (const name of ['Dockerfile', 'start-kafka.sh', 'start-cassandra.sh']) {
    await cp(join(import.meta.dirname, name), at(name))
  }
  await writeFile(at('log4j2.properties'), KAFKA_LOGGING)
  await writeFile(at('logback.xml'), CASSANDRA_LOGGING)
  await writeFile(at('java-flags'), javaFlags(jars).join('\n'))
  await writeFile(
    at('cassandra.yaml'),
    cassandraYaml({
      dataFolder: '/var/lib/cassandra',
      clientHost: '0.0.0.0',
      clientPort: 9042,
      storagePort: 7000,
      commitLog: 'batch',
      passwords: false,
      certificates: undefined,
    }),
  )
}

function javaFlags(jars: string): string[] {
  return [
    `-javaagent:/opt/cassandra/${basename(memoryMeter(jars))}`,
    ...CASSANDRA_MODULE_FLAGS,
    '-Dcassandra.config=file:///opt/cassandra.yaml',
    '-Dcassandra.storagedir=/var/lib/cassandra',
    '-Dlogback.configurationFile=/opt/logback.xml',
  ]
}

/** The one that this machine installs its own packages from; debootstrap's own choice where apt does not tell. */
function debianMirror(): string {
  const lines = execFileSync(
    'apt-get',
    ['indextargets', '--format', '$(REPO_URI)', 'Created-By: Packages', `Codename: ${SUITE}`],
    { encoding: 'utf8' },
  )
  return lines.split('\n')[0] ?? ''
}

/** docker if its daemon answers (a client alone is not enough), else podman. */
function buildCommand(): string {
  try {
    execFileSync('docker', ['info'], { stdio: 'ignore' })
    return 'docker'
  } catch {
    return 'podman'
  }
}

function run(program: string, args: readonly string[]): void {
  execFileSync(program, args, { stdio: ['ignore', 'ignore', 'inherit'] })
}
