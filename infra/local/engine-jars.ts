// Kafka's and Cassandra's own jars, as their projects publish them for Maven: the same code that their packages and
// images run. Fetched once into a cache folder of the user, one folder per version, and kept.

import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

export type EngineName = 'kafka' | 'cassandra'
type Artifact = { readonly groupId: string; readonly artifactId: string }

export const ENGINE_VERSIONS: Readonly<Record<EngineName, string>> = {
  kafka: '4.1.1',
  cassandra: '5.0.6',
}

const ARTIFACTS: Readonly<Record<EngineName, readonly Artifact[]>> = {
  // The second one holds the programs that Kafka's bin folder calls.
  kafka: [
    { groupId: 'org.apache.kafka', artifactId: 'kafka_2.13' },
    { groupId: 'org.apache.kafka', artifactId: 'kafka-tools' },
  ],
  cassandra: [{ groupId: 'org.apache.cassandra', artifactId: 'cassandra-all' }],
}

const FETCH_MS_MAX = 15 * 60_000

/** Where the jars of an engine are, or will be. */
export function jarFolder(cacheFolder: string, engine: EngineName): string {
  return join(cacheFolder, `${engine}-${ENGINE_VERSIONS[engine]}`)
}

/** Fetches the jars unless they are there. Several processes may do so at once: the first to finish wins. */
export async function fetchJars(cacheFolder: string, engine: EngineName): Promise<string> {
  const folder = jarFolder(cacheFolder, engine)
  if (existsSync(folder)) return folder
  await mkdir(cacheFolder, { recursive: true })
  const scratch = await mkdtemp(join(cacheFolder, '.fetch-'))
  try {
    await writeFile(join(scratch, 'pom.xml'), pomOf(engine))
    await copyDependencies(scratch, engine)
    await rename(join(scratch, 'lib'), folder).catch((cause: unknown) => {
      if (!existsSync(folder)) throw cause
    })
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
  return folder
}

async function copyDependencies(folder: string, engine: EngineName): Promise<void> {
  const goal = ['dependency:copy-dependencies', '-DoutputDirectory=lib', '-DincludeScope=runtime']
  try {
    await promisify(execFile)('mvn', ['--quiet', '--batch-mode', ...goal], {
      cwd: folder,
      timeout: FETCH_MS_MAX,
    })
  } catch (cause) {
    const said = cause instanceof Error && 'stdout' in cause ? String(cause.stdout) : ''
    const reason = said.split('\n').find((line) => line.startsWith('[ERROR]'))
    throw new Error(`Maven could not fetch the jars of ${engine}: ${reason ?? String(cause)}`, {
      cause,
    })
  }
}

function pomOf(engine: EngineName): string {
  const version = ENGINE_VERSIONS[engine]
  const dependencies = ARTIFACTS[engine].map(
    ({ groupId, artifactId }) =>
      `<dependency><groupId>${groupId}</groupId><artifactId>${artifactId}</artifactId><version>${version}</version></dependency>`,
  )
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>cellfeed</groupId><artifactId>${engine}-jars</artifactId><version>1</version>
  <dependencies>${dependencies.join('')}</dependencies>
</project>
`
}
