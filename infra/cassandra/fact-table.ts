// Numbers that only grow, each under a name.
//
//     facts  ((name))  ->  number    timestamp: the number
//
// Conflicts: of two numbers the greater stays, whoever writes it and whenever it lands.

import type { Session } from './session.ts'
import { numberTimestamp } from './write-timestamps.ts'

export class FactTable {
  readonly #session: Session
  readonly #insert: string
  readonly #select: string

  constructor(session: Session, keyspace: string) {
    const facts = `${keyspace}.facts`
    this.#session = session
    this.#insert = `INSERT INTO ${facts} (name, number) VALUES (?, ?) USING TIMESTAMP ?`
    this.#select = `SELECT number FROM ${facts} WHERE name = ?`
  }

  /** Makes it at least so great. */
  raise(name: string, to: number): Promise<void> {
    const number = numberTimestamp(to)
    return this.#session.write(this.#insert, [name, number, number])
  }

  /** 0 when it was never raised. */
  async get(name: string): Promise<number> {
    const [row] = await this.#session.read(this.#select, [name])
    return row === undefined ? 0 : Number(row['number'])
  }
}
