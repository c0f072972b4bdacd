// Rows keyed by dense numbers lie in partitions of many consecutive numbers, so that reading all of them is a few hundred
// partition reads. Which partitions there are is listed in a partition for each kind:
//
//     blocks  ((kind), block)
//
// Conflicts: none, a row says only that it is there. It is durable before the first row of its block is written.

import type { Row, Session } from './session.ts'
import { ONCE_TIMESTAMP } from './write-timestamps.ts'

const BLOCKS_AHEAD = 4

export class NumberBlocks {
  readonly #session: Session
  readonly #kind: string
  readonly #numbersPerBlock: number
  readonly #insert: string
  readonly #select: string
  /** Those that this process knows to be listed. */
  readonly #listed = new Set<number>()

  constructor(
    session: Session,
    keyspace: string,
    of: { readonly kind: string; readonly numbersPerBlock: number },
  ) {
    const blocks = `${keyspace}.blocks`
    this.#session = session
    this.#kind = of.kind
    this.#numbersPerBlock = of.numbersPerBlock
    this.#insert = `INSERT INTO ${blocks} (kind, block) VALUES (?, ?) USING TIMESTAMP ?`
    this.#select = `SELECT block FROM ${blocks} WHERE kind = ?`
  }

  blockOf(number: number): number {
    return Math.floor(number / this.#numbersPerBlock)
  }

  /** Lists the blocks of these numbers; before rows of them are written. */
  async list(numbers: Iterable<number>): Promise<void> {
    const fresh = new Set<number>()
    for (const number of numbers) {
      const block = this.blockOf(number)
      if (!this.#listed.has(block)) fresh.add(block)
    }
    await this.#session.forEach([...fresh], async (block) => {
      await this.#session.write(this.#insert, [this.#kind, block, ONCE_TIMESTAMP])
      this.#listed.add(block)
    })
  }

  /** The rows of every block by ascending number, a batch a block; reads some blocks ahead. `select` takes a block. */
  async *rows(select: string): AsyncGenerator<Row[]> {
    const listed = await this.#session.read(this.#select, [this.#kind])
    const blocks = listed.map((row) => row['block'] as number)
    const ahead: Promise<Row[]>[] = []
    for (let next = 0; next < blocks.length || ahead.length > 0; ) {
      while (ahead.length < BLOCKS_AHEAD && next < blocks.length) {
        const rows = this.#session.read(select, [blocks[next++] ?? 0])
        // Awaited in its turn; one that fails before must not go unheard.
        rows.catch(() => undefined)
        ahead.push(rows)
      }
      const rows = await ahead.shift()
      if (rows !== undefined && rows.length > 0) yield rows
    }
  }
}
