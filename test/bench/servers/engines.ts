// Which servers a bench uses: flags of its command line, with the ports where `make up` starts them. A bench takes names of its
// own there (topics, keyspace, keys) and drops them at its end.

import { parseArgs } from 'node:util'

export type Engines = {
  /** host:port each. */
  readonly kafka: string
  readonly cassandra: string
  readonly dataCenter: string
  readonly redis: { readonly host: string; readonly port: number }
}
export type BenchFlags = {
  readonly engines: Engines
  /** How long each way is measured, in seconds. */
  readonly seconds: number
  /** Letters, digits and underscores: a name for everything that the bench makes on the servers. */
  readonly prefix: string
}

export function benchFlags(defaults: { readonly seconds: number }): BenchFlags {
  const { values } = parseArgs({
    options: {
      kafka: { type: 'string', default: '127.0.0.1:9092' },
      cassandra: { type: 'string', default: '127.0.0.1:9042' },
      datacenter: { type: 'string', default: 'datacenter1' },
      redis: { type: 'string', default: '127.0.0.1:6379' },
      seconds: { type: 'string', default: `${defaults.seconds}` },
      prefix: { type: 'string', default: `bench_${process.pid}` },
    },
  })
  const [host = '', port = ''] = values.redis.split(':')
  return {
    engines: {
      kafka: values.kafka,
      cassandra: values.cassandra,
      dataCenter: values.datacenter,
      redis: { host, port: Number(port) },
    },
    seconds: Number(values.seconds),
    prefix: values.prefix,
  }
}

/** The flags again, for a process that works for this one. */
export function flagsOf({ engines, seconds, prefix }: BenchFlags): string[] {
  const { kafka, cassandra, dataCenter, redis } = engines
  const addresses = [`--kafka=${kafka}`, `--cassandra=${cassandra}`, `--datacenter=${dataCenter}`]
  const run = [`--seconds=${seconds}`, `--prefix=${prefix}`]
  return [...addresses, `--redis=${redis.host}:${redis.port}`, ...run]
}
