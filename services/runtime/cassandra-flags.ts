// How a process is told where Cassandra is and how to be let in.

import { z } from 'zod'
import { fileText, type Flag, flag, hostPorts, pemText, secretVariable } from './flags.ts'
import { authorities, secretOf, type TlsConfig, tlsFlagsOf, tlsOf } from './tls-flags.ts'

export type CassandraConfig = {
  readonly contactPoints: readonly string[]
  readonly localDataCenter: string
  readonly credentials: { readonly username: string; readonly password: string } | undefined
  readonly tls: TlsConfig | undefined
}

export const CASSANDRA_FIELDS = {
  cassandra: hostPorts().default(['127.0.0.1:9042']),
  datacenter: z.string().default('datacenter1'),
  cassandraUsername: z.string().optional(),
  cassandraPasswordFile: fileText().optional(),
  cassandraPassword: z.string().optional(),
  cassandraTlsCa: authorities(),
  cassandraTlsCert: pemText().optional(),
  cassandraTlsKey: pemText().optional(),
}
type Given = z.output<z.ZodObject<typeof CASSANDRA_FIELDS>>

export const CASSANDRA_FLAGS: readonly Flag[] = [
  flag(
    '--cassandra <host:port,...>',
    'cassandra',
    'some nodes of the Cassandra cluster (default: 127.0.0.1:9042)',
  ),
  flag(
    '--datacenter <name>',
    'datacenter',
    'the Cassandra data center nearest to here (default: datacenter1)',
  ),
  flag('--cassandra-username <name>', 'cassandraUsername', 'who this process is to Cassandra'),
  flag(
    '--cassandra-password-file <file>',
    'cassandraPasswordFile',
    'its password (or in CELLFEED_CASSANDRA_PASSWORD)',
  ),
  secretVariable('cassandraPassword', 'the password itself'),
  ...tlsFlagsOf('cassandra', 'Cassandra'),
]

/** What does not fit together is pushed to `errors`. */
export function cassandraConfigOf(given: Given, errors: string[]): CassandraConfig {
  const tlsGiven = {
    ca: given.cassandraTlsCa,
    certificate: given.cassandraTlsCert,
    key: given.cassandraTlsKey,
  }
  return Object.freeze({
    contactPoints: given.cassandra,
    localDataCenter: given.datacenter,
    credentials: credentialsOf(given, errors),
    tls: tlsOf(tlsGiven, 'cassandra', errors),
  })
}

function credentialsOf(given: Given, errors: string[]): CassandraConfig['credentials'] {
  const { cassandraUsername: username } = given
  const password = secretOf(
    { file: given.cassandraPasswordFile, variable: given.cassandraPassword },
    { file: '--cassandra-password-file', variable: 'CELLFEED_CASSANDRA_PASSWORD' },
    errors,
  )
  if (username === undefined && password === undefined) return undefined
  if (username === undefined || password === undefined) {
    errors.push(
      '--cassandra-username and --cassandra-password-file go together: give both, or none',
    )
    return undefined
  }
  return Object.freeze({ username, password })
}
