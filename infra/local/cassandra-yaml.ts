// cassandra.yaml of one node that is its own seed, tuned for a machine of few cores.

import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { LocalCertificates } from './certificates.ts'

export type CassandraNode = {
  readonly dataFolder: string
  /** Where it listens for clients; 0.0.0.0 in a container, whose ports are published one by one. */
  readonly clientHost: string
  readonly clientPort: number
  readonly storagePort: number
  readonly commitLog: CommitLogSync
  readonly passwords: boolean
  readonly certificates: LocalCertificates | undefined
}
/**
 * When a write counts as taken: `batch` once it is on disk; `periodic` at once, as Cassandra does by default. A killed
 * node then loses the last tenth of a second, which the other replicas of a real cluster have.
 */
export type CommitLogSync = 'batch' | 'periodic'

/** JSON, which is YAML too. */
export function cassandraYaml(node: CassandraNode): string {
  const { dataFolder, clientHost, clientPort, storagePort, certificates } = node
  const at = (folder: string) => join(dataFolder, folder)
  return JSON.stringify(
    {
      cluster_name: 'cellfeed',
      num_tokens: 1,
      partitioner: 'org.apache.cassandra.dht.Murmur3Partitioner',
      endpoint_snitch: 'SimpleSnitch',
      listen_address: '127.0.0.1',
      rpc_address: clientHost,
      broadcast_rpc_address: '127.0.0.1',
      native_transport_port: clientPort,
      storage_port: storagePort,
      seed_provider: [
        {
          class_name: 'org.apache.cassandra.locator.SimpleSeedProvider',
          parameters: [{ seeds: `127.0.0.1:${storagePort}` }],
        },
      ],
      data_file_directories: [at('data')],
      commitlog_directory: at('commitlog'),
      hints_directory: at('hints'),
      saved_caches_directory: at('saved_caches'),
      cdc_raw_directory: at('cdc_raw'),
      ...commitLogSettings(node.commitLog),
      // Out of the garbage collector's way.
      memtable_allocation_type: 'offheap_objects',
      memtable: { configurations: { default: { class_name: 'TrieMemtable' } } },
      sstable: { selected_format: 'bti' },
      storage_compatibility_mode: 'NONE',
      // A machine that does everything at once is slow at times, and not broken.
      read_request_timeout: '10s',
      write_request_timeout: '10s',
      cas_contention_timeout: '5s',
      // Dropping a test's keyspace frees its space.
      auto_snapshot: false,
      ...(node.passwords ? { authenticator: { class_name: 'PasswordAuthenticator' } } : {}),
      ...(certificates === undefined
        ? {}
        : { client_encryption_options: encryption(certificates) }),
    },
    undefined,
    2,
  )
}

/**
 * With `batch` a writer waits for the disk, and all that wait share one wait: the more writers, the more is written. With
 * `periodic` none waits, and more threads than the cores can run only take turns: two cores wrote 21,000 rows of 1 KB a second
 * with Cassandra's own numbers and 26,000 with these.
 */
function commitLogSettings(sync: CommitLogSync) {
  if (sync === 'batch') return { commitlog_sync: 'batch', concurrent_writes: 128 }
  const threads = 2 * availableParallelism()
  return {
    commitlog_sync: 'periodic',
    commitlog_sync_period: '10000ms',
    concurrent_writes: threads,
    native_transport_max_threads: threads,
  }
}

function encryption({ keystorePath, keystorePassword }: LocalCertificates) {
  return {
    enabled: true,
    optional: false,
    keystore: keystorePath,
    keystore_password: keystorePassword,
    store_type: 'PKCS12',
    require_client_auth: false,
  }
}
