// Finds what is needed to run the engines as processes: Java, Redis, and the jars (fetched by Maven at first).

import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { fetchJars, jarFolder } from './engine-jars.ts'
import { MissingProgramsError } from './missing-programs-error.ts'

export type InstalledEngines = {
  /** Programs: a path, or a name to be found on PATH. */
  readonly java: string
  readonly redisServer: string
  /** Folders of jars. */
  readonly kafka: string
  readonly cassandra: string
}
export type EnginePlaces = {
  /** Where jars are kept; undefined: .cache/cellfeed in the user's home. */
  readonly cacheFolder: string | undefined
  /** A Java to use instead of the one on PATH. */
  readonly javaHome: string | undefined
}

// Kafka 4 needs 17 or newer; Cassandra 5.0 supports 11 and 17.
const JAVA_VERSION = 17

/** Throws MissingProgramsError, which names all that is missing. */
export async function installEngines(places: EnginePlaces): Promise<InstalledEngines> {
  const missing = await missingPrograms(places)
  if (missing.length > 0) throw new MissingProgramsError(missing)
  const cacheFolder = cacheFolderOf(places)
  return {
    java: javaOf(places),
    redisServer: 'redis-server',
    kafka: await fetchJars(cacheFolder, 'kafka'),
    cassandra: await fetchJars(cacheFolder, 'cassandra'),
  }
}

/** What would have to be installed first, each with how; empty if the engines can run. Starts no server. */
export async function missingPrograms(places: EnginePlaces): Promise<string[]> {
  const cacheFolder = cacheFolderOf(places)
  const hasJars = (['kafka', 'cassandra'] as const).every((engine) =>
    existsSync(jarFolder(cacheFolder, engine)),
  )
  const checks = [
    checkJava(javaOf(places)),
    checkProgram('redis-server', 'Debian: apt-get install redis-server'),
    hasJars ? Promise.resolve(undefined) : checkProgram('mvn', 'Debian: apt-get install maven'),
  ]
  const found = await Promise.all(checks)
  return found.filter((problem) => problem !== undefined)
}

const cacheFolderOf = (places: EnginePlaces) =>
  places.cacheFolder ?? join(homedir(), '.cache', 'cellfeed')
const javaOf = (places: EnginePlaces) =>
  places.javaHome === undefined ? 'java' : join(places.javaHome, 'bin', 'java')

async function checkJava(java: string): Promise<string | undefined> {
  const how = `Java ${JAVA_VERSION} (Debian: apt-get install openjdk-${JAVA_VERSION}-jre-headless)`
  const said = await promisify(execFile)(java, ['-version']).catch(() => undefined)
  if (said === undefined) return how
  const major = Number(/version "(\d+)/.exec(said.stderr)?.[1])
  return major === JAVA_VERSION ? undefined : `${how}; ${java} is version ${major}: set JAVA_HOME`
}

async function checkProgram(program: string, how: string): Promise<string | undefined> {
  try {
    await promisify(execFile)(program, ['--version'])
    return undefined
  } catch {
    return `${program} (${how})`
  }
}
