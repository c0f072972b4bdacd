// Index blocks of the window, on Cassandra: a partition a block, some hundreds of KB.
//
//     window  ((boot, count))  ->  bytes    timestamp: 1
//
// Conflicts: none, a block is written once, or again with the same bytes. A dropped one is dropped above all timestamps. A block
// that was written when its cell was killed, before a checkpoint named it, stays: nobody knows it.

import type { WindowBlock, WindowBlockName, WindowTable } from '../../cells/ports/cell-store.ts'
import { bufferOf } from './buffer-of.ts'
import type { Session } from './session.ts'
import { FINAL_TIMESTAMP, ONCE_TIMESTAMP } from './write-timestamps.ts'

export class CassandraWindowTable implements WindowTable {
  readonly #session: Session
  readonly #insert: string
  readonly #select: string
  readonly #drop: string

  constructor(session: Session, keyspace: string) {
    const window = `${keyspace}.window`
    this.#session = session
    this.#insert = `INSERT INTO ${window} (boot, count, bytes) VALUES (?, ?, ?) USING TIMESTAMP ?`
    this.#select = `SELECT bytes FROM ${window} WHERE boot = ? AND count = ?`
    this.#drop = `DELETE FROM ${window} USING TIMESTAMP ? WHERE boot = ? AND count = ?`
  }

  put(blocks: readonly WindowBlock[]): Promise<void> {
    return this.#session.forEach(blocks, ({ name, bytes }) =>
      this.#session.write(this.#insert, [...keyOf(name), bufferOf(bytes), ONCE_TIMESTAMP]),
    )
  }

  async get(names: readonly WindowBlockName[]): Promise<(WindowBlock | undefined)[]> {
    const found = await Promise.all(
      names.map((name) => this.#session.read(this.#select, keyOf(name))),
    )
    return names.map((name, i) => {
      const bytes = found[i]?.[0]?.['bytes']
      return bytes === undefined ? undefined : { name, bytes: bytes as Buffer }
    })
  }

  drop(names: readonly WindowBlockName[]): Promise<void> {
    return this.#session.forEach(names, (name) =>
      this.#session.write(this.#drop, [FINAL_TIMESTAMP, ...keyOf(name)]),
    )
  }
}

function keyOf({ boot, count }: WindowBlockName): [bigint, bigint] {
  return [BigInt(boot), BigInt(count)]
}
