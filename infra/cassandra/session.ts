// A connection to Cassandra as all tables use it. Statements are prepared, named with their keyspace and sent to a replica of
// their partition. Every request has a deadline. Writes are never tried again here: whoever wrote decides that (a cell in
// persist.ts), and every write is idempotent by its timestamp. A read that failed is tried once more, on another host.
//
// Reads and writes each pass a gate of their own, so that a page does not wait behind a cell that is catching up.

import cassandra from 'cassandra-driver'
import type { CassandraOptions } from './cassandra-options.ts'
import { clientOptions } from './client-options.ts'
import { Gate, inParallel } from './gate.ts'
import { retryReadOnce } from './retry-read-once.ts'

export type SessionLimits = {
  /** Requests under way at once; more wait. */
  readonly readsMax: number
  readonly writesMax: number
  /** Longest wait for the answer to a request. */
  readonly timeoutMs: number
  readonly connectTimeoutMs: number
}

export const SESSION_LIMITS: SessionLimits = {
  readsMax: 128,
  writesMax: 128,
  timeoutMs: 5_000,
  connectTimeoutMs: 5_000,
}

export type Parameter =
  | Buffer
  | number
  | string
  | boolean
  | bigint
  | readonly (Buffer | number | bigint)[]
export type Row = Readonly<Record<string, unknown>>
export type Write = { readonly query: string; readonly params: readonly Parameter[] }

/** A request to Cassandra failed. A write that failed may still land. */
export class CassandraFailure extends Error {
  readonly code = 'STORE_UNAVAILABLE'
  override readonly name = 'CassandraFailure'
}

export class Session {
  readonly #client: cassandra.Client
  readonly #reads: Gate
  readonly #writes: Gate
  readonly #writesMax: number

  static open(options: CassandraOptions, limits: Partial<SessionLimits> = {}): Promise<Session> {
    return Session.#connect(clientOptions(options, { ...SESSION_LIMITS, ...limits }), limits)
  }

  /** Does not keep the picture of schema and replicas that requests are routed by: each change would make it anew. */
  static openForSchema(options: CassandraOptions): Promise<Session> {
    const limits = { ...SESSION_LIMITS, timeoutMs: DEFINE_TIMEOUT_MS }
    const driver = { ...clientOptions(options, limits), isMetadataSyncEnabled: false }
    return Session.#connect(driver, limits)
  }

  static async #connect(
    options: cassandra.DseClientOptions,
    limits: Partial<SessionLimits>,
  ): Promise<Session> {
    const client = new cassandra.Client(options)
    try {
      await client.connect()
    } catch (error) {
      await client.shutdown().catch(() => undefined)
      throw failureOf(error, `no connection to Cassandra at ${options.contactPoints?.join(', ')}`)
    }
    return new Session(client, { ...SESSION_LIMITS, ...limits })
  }

  private constructor(client: cassandra.Client, limits: SessionLimits) {
    this.#client = client
    this.#reads = new Gate(limits.readsMax)
    this.#writes = new Gate(limits.writesMax)
    this.#writesMax = limits.writesMax
  }

  /** All rows, whatever their number: for results whose size the query or the partition bounds. */
  async read(query: string, params: readonly Parameter[]): Promise<Row[]> {
    const { rows, next: second } = await this.#page(query, params, PAGE_ROWS, undefined)
    for (let next = second; next !== undefined; ) {
      const page = await this.#page(query, params, PAGE_ROWS, next)
      for (const row of page.rows) rows.push(row)
      next = page.next
    }
    return rows
  }

  /** The rows of a long result, so many at a time. */
  async *pages(
    query: string,
    params: readonly Parameter[],
    rowsAtOnce: number,
  ): AsyncGenerator<Row[]> {
    let next: string | undefined
    do {
      const page = await this.#page(query, params, rowsAtOnce, next)
      if (page.rows.length > 0) yield page.rows
      next = page.next
    } while (next !== undefined)
  }

  write(query: string, params: readonly Parameter[]): Promise<void> {
    return this.#writes.run(async () => {
      try {
        await this.#client.execute(query, params, WRITE)
      } catch (error) {
        throw failureOf(error, query)
      }
    })
  }

  /** Writes of one partition, which become durable together. */
  async writeTogether(writes: readonly Write[]): Promise<void> {
    const [first] = writes
    if (first === undefined) return
    if (writes.length === 1) return this.write(first.query, first.params)
    return this.#writes.run(async () => {
      try {
        await this.#client.batch([...writes], BATCH)
      } catch (error) {
        throw failureOf(error, first.query)
      }
    })
  }

  /** Works through the items, as many at once as writes may be under way. */
  forEach<I>(items: readonly I[], write: (item: I) => Promise<unknown>): Promise<void> {
    return inParallel(items, this.#writesMax, write)
  }

  /** A lightweight transaction; answers its rows. When it throws, it is unknown whether it was applied. */
  conditional(query: string, params: readonly Parameter[]): Promise<Row[]> {
    return this.#writes.run(async () => {
      try {
        return (await this.#client.execute(query, params, CONDITIONAL)).rows ?? []
      } catch (error) {
        throw failureOf(error, query)
      }
    })
  }

  /** Sees every transaction that ended before, and ends those that were left half done. */
  readSerial(query: string, params: readonly Parameter[]): Promise<Row[]> {
    return this.#reads.run(async () => {
      try {
        return (await this.#client.execute(query, params, SERIAL_READ)).rows
      } catch (error) {
        throw failureOf(error, query)
      }
    })
  }

  /** For schemas: not prepared; waits until the nodes agree. */
  async define(query: string): Promise<Row[]> {
    try {
      return (await this.#client.execute(query, [], { prepare: false })).rows ?? []
    } catch (error) {
      throw failureOf(error, query)
    }
  }

  /** Requests that are under way end first, or time out. */
  async close(): Promise<void> {
    await this.#client.shutdown()
  }

  #page(
    query: string,
    params: readonly Parameter[],
    fetchSize: number,
    pageState: string | undefined,
  ): Promise<{ rows: Row[]; next: string | undefined }> {
    return this.#reads.run(async () => {
      try {
        const options =
          pageState === undefined ? { ...READ, fetchSize } : { ...READ, fetchSize, pageState }
        const result = await this.#client.execute(query, params, options)
        return { rows: result.rows, next: result.pageState ?? undefined }
      } catch (error) {
        throw failureOf(error, query)
      }
    })
  }
}

const PAGE_ROWS = 5_000
/** Making a table waits for all nodes to agree, so it may take longer than a row. */
const DEFINE_TIMEOUT_MS = 60_000
const { consistencies } = cassandra.types
const WRITE = { prepare: true, isIdempotent: true }
const BATCH = { prepare: true, isIdempotent: true, logged: false }
const READ = { prepare: true, isIdempotent: true, retry: retryReadOnce }
const CONDITIONAL = {
  prepare: true,
  isIdempotent: false,
  serialConsistency: consistencies.serial,
}
const SERIAL_READ = { ...READ, consistency: consistencies.serial }

/** What the caller did wrong stays what it was: it must not be taken for an outage. */
function failureOf(error: unknown, what: string): Error {
  if (error instanceof TypeError || error instanceof RangeError) return error
  const reason = error instanceof Error ? error.message : String(error)
  return new CassandraFailure(`${what}: ${reason}`, { cause: error })
}
