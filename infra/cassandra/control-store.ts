// The control store on Cassandra: one row a key, changed by lightweight transactions and read at serial consistency only, so that
// all processes see one order of changes. Nothing else writes to this table: a plain write would not be ordered with those.
//
//     documents  ((key))  ->  revision, value
//
// A change whose outcome is unknown (no answer in time) throws: the caller reads again before it decides anything. Other
// processes' changes are noticed by asking every so often; this process's own at once.

import assert from 'node:assert/strict'
import type { ControlEntry, ControlStore } from '../../cells/ports/control-store.ts'
import { Bell } from '../in-process/bell.ts'
import { CONTROL_VALUE_BYTES_MAX } from '../in-process/control-limits.ts'
import { bufferOf } from './buffer-of.ts'
import { type CassandraOptions, controlKeyspace } from './cassandra-options.ts'
import { checkSchema } from './schema.ts'
import { Session, type SessionLimits } from './session.ts'
import { controlTables } from './tables.ts'

export type CassandraControlStoreOptions = CassandraOptions & {
  /** How often watched keys are read. */
  readonly watchMs?: number
  readonly limits?: Partial<SessionLimits>
}

const WATCH_MS = 500

export class CassandraControlStore implements ControlStore {
  readonly #session: Session
  readonly #watchMs: number
  readonly #select: string
  readonly #insert: string
  readonly #update: string
  readonly #bell = new Bell()
  /** Watches that have yet to learn the revision their key has now. */
  readonly #beginning = new Map<string, Set<Promise<number>>>()
  #watchers = 0
  #ticking: NodeJS.Timeout | undefined

  /** Throws SchemaMismatch when the keyspace is not there or not as this version needs it. */
  static async open(options: CassandraControlStoreOptions): Promise<CassandraControlStore> {
    const keyspace = controlKeyspace(options.prefix)
    const session = await Session.open(options, options.limits)
    try {
      await checkSchema(session, { keyspace, tables: controlTables })
      return new CassandraControlStore(session, keyspace, options.watchMs ?? WATCH_MS)
    } catch (error) {
      await session.close()
      throw error
    }
  }

  private constructor(session: Session, keyspace: string, watchMs: number) {
    const documents = `${keyspace}.documents`
    this.#session = session
    this.#watchMs = watchMs
    this.#select = `SELECT revision, value FROM ${documents} WHERE key = ?`
    this.#insert = `INSERT INTO ${documents} (key, revision, value) VALUES (?, ?, ?) IF NOT EXISTS`
    this.#update = `UPDATE ${documents} SET revision = ?, value = ? WHERE key = ? IF revision = ?`
  }

  async get(key: string): Promise<ControlEntry | undefined> {
    await this.#begun(key)
    return this.#read(key)
  }

  async compareAndSet(
    key: string,
    expected: number,
    value: Uint8Array,
  ): Promise<number | undefined> {
    assert(value.length <= CONTROL_VALUE_BYTES_MAX, `control value of ${value.length} bytes`)
    await this.#begun(key)
    const revision = expected + 1
    const [next, bytes] = [BigInt(revision), bufferOf(value)]
    const [outcome] =
      expected === 0
        ? await this.#session.conditional(this.#insert, [key, next, bytes])
        : await this.#session.conditional(this.#update, [next, bytes, key, BigInt(expected)])
    if (outcome?.['[applied]'] !== true) return undefined
    this.#bell.ring()
    return revision
  }

  watch(key: string, signal: AbortSignal): AsyncIterable<ControlEntry> {
    const revision = this.#revisionNow(key)
    const beginning = this.#beginning.get(key) ?? new Set()
    this.#beginning.set(key, beginning.add(revision))
    const begun = () => {
      beginning.delete(revision)
      if (beginning.size === 0) this.#beginning.delete(key)
    }
    revision.then(begun, begun)
    return this.#changes(key, signal, revision)
  }

  /** Watches end with their signals. */
  async close(): Promise<void> {
    clearInterval(this.#ticking)
    await this.#session.close()
  }

  async *#changes(
    key: string,
    signal: AbortSignal,
    revision: Promise<number>,
  ): AsyncGenerator<ControlEntry> {
    let told = await revision
    this.#watchMore(1)
    try {
      while (!signal.aborted) {
        const heard = this.#bell.rings
        const entry = await this.#readIfThere(key)
        if (signal.aborted) return
        if (entry !== undefined && entry.revision > told) {
          told = entry.revision
          yield entry
        } else {
          await this.#bell.rungSince(heard, signal)
        }
      }
    } finally {
      this.#watchMore(-1)
    }
  }

  /** What is done after a watch was asked for is done after it knows where it began: it would miss that change else. */
  async #begun(key: string): Promise<void> {
    const beginning = this.#beginning.get(key)
    if (beginning !== undefined) await Promise.allSettled(beginning)
  }

  /** 0 when it cannot be read: then the watch begins with what is there, which may be no change. */
  async #revisionNow(key: string): Promise<number> {
    return (await this.#readIfThere(key))?.revision ?? 0
  }

  /** A watch outlives a Cassandra that does not answer: it looks again at the next tick. */
  async #readIfThere(key: string): Promise<ControlEntry | undefined> {
    try {
      return await this.#read(key)
    } catch {
      return undefined
    }
  }

  async #read(key: string): Promise<ControlEntry | undefined> {
    const [row] = await this.#session.readSerial(this.#select, [key])
    if (row === undefined) return undefined
    return { value: row['value'] as Buffer, revision: Number(row['revision']) }
  }

  /** The bell also rings every so often while somebody watches. */
  #watchMore(more: 1 | -1): void {
    this.#watchers += more
    if (this.#watchers > 0) {
      this.#ticking ??= setInterval(() => this.#bell.ring(), this.#watchMs)
    } else {
      clearInterval(this.#ticking)
      this.#ticking = undefined
    }
  }
}
