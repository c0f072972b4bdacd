// What the environment says about the servers to test with. Read here and nowhere else in the tests.

export type EngineImages = {
  readonly kafka: string
  readonly cassandra: string
  readonly redis: string
}
export type RunningServers = {
  readonly kafka: string
  readonly cassandra: string
  readonly dataCenter: string
  readonly redis: string
}
export type ServersConfig = {
  /** CELLFEED_TEST_KAFKA, _CASSANDRA, _REDIS (host:port each, lists with commas) and _DATACENTER: servers that run. */
  readonly running: RunningServers | undefined
  /** CELLFEED_TEST_ENGINES: `containers` or `processes`; undefined: containers where an engine answers. */
  readonly engines: 'containers' | 'processes' | undefined
  /** CELLFEED_IMAGE_KAFKA, _CASSANDRA, _REDIS. */
  readonly images: EngineImages
  /** CELLFEED_ENGINES: where the jars are kept. */
  readonly cacheFolder: string | undefined
  readonly javaHome: string | undefined
  /** CI: nothing may be left out. */
  readonly nothingLeftOut: boolean
}

export function readServersConfig(environment = process.env): ServersConfig {
  const value = (name: string) => environment[name] || undefined
  const engines = value('CELLFEED_TEST_ENGINES')
  if (engines !== undefined && engines !== 'containers' && engines !== 'processes') {
    throw new Error(`CELLFEED_TEST_ENGINES wants containers or processes, not ${engines}`)
  }
  return {
    running: runningServers(value),
    engines,
    images: {
      kafka: value('CELLFEED_IMAGE_KAFKA') ?? 'apache/kafka:4.1.1',
      cassandra: value('CELLFEED_IMAGE_CASSANDRA') ?? 'cassandra:5.0.6',
      redis: value('CELLFEED_IMAGE_REDIS') ?? 'redis:7',
    },
    cacheFolder: value('CELLFEED_ENGINES'),
    javaHome: value('JAVA_HOME'),
    nothingLeftOut: value('CI') === 'true',
  }
}

function runningServers(value: (name: string) => string | undefined): RunningServers | undefined {
  const kafka = value('CELLFEED_TEST_KAFKA')
  const cassandra = value('CELLFEED_TEST_CASSANDRA')
  const redis = value('CELLFEED_TEST_REDIS')
  if (kafka === undefined && cassandra === undefined && redis === undefined) return undefined
  if (kafka === undefined || cassandra === undefined || redis === undefined) {
    throw new Error(
      'CELLFEED_TEST_KAFKA, CELLFEED_TEST_CASSANDRA and CELLFEED_TEST_REDIS go together',
    )
  }
  return { kafka, cassandra, dataCenter: value('CELLFEED_TEST_DATACENTER') ?? 'datacenter1', redis }
}
