// What every inbox and reader table promises. `open` gives the tables of a new, empty cell store for each test.

import { FILL_MONTH } from '../../cells/model/fill.ts'
import { beforeEach, describe, expect, test } from 'vitest'
import type { SlotTerm } from '../../cells/model/placement.ts'
import type { PostId } from '../../cells/model/post-id.ts'
import type {
  Chunk,
  InboxTable,
  ReaderRow,
  ReaderTable,
  Version,
} from '../../cells/ports/cell-store.ts'
import { plain } from './sample-events.ts'

export type SlotTables = { readonly inbox: InboxTable; readonly readers: ReaderTable }

const here: SlotTerm = { slot: 7, term: 2 }
const neighbours: SlotTerm[] = [
  { slot: 7, term: 1 },
  { slot: 7, term: 3 },
  { slot: 6, term: 2 },
  { slot: 8, term: 2 },
  { slot: 7 + 256, term: 2 },
]
const version = (count: number, boot = 1): Version => ({ boot, count })
const bytes = (text: string) => new TextEncoder().encode(text)

export function describeSlotTablesContract(name: string, open: () => Promise<SlotTables>): void {
  let inbox: InboxTable
  let readers: ReaderTable
  const opened = async () => {
    const tables = await open()
    inbox = tables.inbox
    readers = tables.readers
  }
  const readersOf = async (at: SlotTerm) => {
    const rows: ReaderRow[] = []
    for await (const batch of readers.ofSlot(at)) rows.push(...batch)
    return rows.sort((a, b) => a.reader - b.reader)
  }

  describe(`inbox table contract: ${name}`, () => {
    beforeEach(opened)
    const chunk = (reader: number, generation: number, part = 0): Chunk => ({
      reader,
      generation,
      part,
      bytes: bytes(`${reader} ${generation} ${part}`),
    })
    const namesBelow = async (month: number, reader: number, below: number, limit: number) =>
      (await inbox.chunksBelow(here, month, reader, below, limit)).map(
        (found) => `${found.generation}.${found.part}`,
      )

    test('chunks come newest generation first, then by part, and are paged', async () => {
      await inbox.putChunks(here, 300, [chunk(5, 3, 1), chunk(5, 1), chunk(5, 3), chunk(5, 300)])
      await inbox.putChunks(here, 300, [chunk(4, 2), chunk(6, 2), chunk(5 + 256, 2)])
      await inbox.putChunks(here, 301, [chunk(5, 301)])
      expect(await namesBelow(300, 5, 2 ** 31, 10)).toEqual(['300.0', '3.0', '3.1', '1.0'])
      expect(await namesBelow(300, 5, 300, 2)).toEqual(['3.0', '3.1'])
      expect(await namesBelow(300, 5, 3, 2)).toEqual(['1.0'])
      expect(await namesBelow(300, 5, 1, 2)).toEqual([])
      expect(await namesBelow(299, 5, 9, 2)).toEqual([])
    })

    test('all parts of a generation come together, whatever the limit', async () => {
      await inbox.putChunks(here, 1, [chunk(5, 7), chunk(5, 8), chunk(5, 8, 1), chunk(5, 8, 2)])
      expect(await namesBelow(1, 5, 9, 1)).toEqual(['8.0', '8.1', '8.2'])
      expect(await namesBelow(1, 5, 9, 2)).toEqual(['8.0', '8.1', '8.2'])
      expect(await namesBelow(1, 5, 8, 1)).toEqual(['7.0'])
    })

    test('generations may be numbered up to 2^53 - 1', async () => {
      const greatest = Number.MAX_SAFE_INTEGER
      await inbox.putChunks(here, 1, [chunk(5, 2 ** 32), chunk(5, greatest - 1), chunk(5, 3)])
      expect(await namesBelow(1, 5, greatest, 9)).toEqual([
        `${greatest - 1}.0`,
        '4294967296.0',
        '3.0',
      ])
      expect(await namesBelow(1, 5, 2 ** 32, 9)).toEqual(['3.0'])
      const row = { generation: greatest, month: 1, minId: 2n as PostId, maxId: 5n as PostId }
      await inbox.putGeneration(row)
      expect(await inbox.generations()).toEqual([row])
    })

    test('a chunk is read back as it was written, whatever its size', async () => {
      const large = { ...chunk(1, 1), bytes: new Uint8Array(100_000).fill(3) }
      const empty = { ...chunk(1, 2), bytes: new Uint8Array(0) }
      await inbox.putChunks(here, 1, [large, empty])
      expect(plain(await inbox.chunksBelow(here, 1, 1, 9, 9))).toEqual(plain([empty, large]))
    })

    test('writing a chunk again changes nothing', async () => {
      await inbox.putChunks(here, 1, [chunk(1, 1), chunk(2, 1)])
      const size = await inbox.size()
      await inbox.putChunks(here, 1, [chunk(1, 1), chunk(1, 1)])
      expect(await inbox.size()).toEqual(size)
      expect(size).toEqual({ chunks: 2, bytes: 10 })
      expect(await namesBelow(1, 1, 9, 9)).toEqual(['1.0'])
    })

    test('generations are kept with their month and greatest id', async () => {
      const maxId = ((1n << 64n) - 1n) as PostId
      const row = { generation: 300, month: 310, minId: (maxId - 1n) as PostId, maxId }
      const first = { generation: 1, month: 310, minId: 3n as PostId, maxId: 5n as PostId }
      await inbox.putGeneration(row)
      await inbox.putGeneration(first)
      await inbox.putGeneration(row)
      expect(await inbox.generations()).toEqual([first, row])
    })

    test('all chunks of a month are read, each once, whatever their number', async () => {
      const many = Array.from({ length: 700 }, (_, i) => chunk(1 + (i % 300), 5 + i, i % 2))
      await inbox.putChunks(here, 1, many)
      await inbox.putChunks(here, 2, [chunk(1, 1)])
      for (const at of neighbours) await inbox.putChunks(at, 1, [chunk(1, 1)])
      const found: Chunk[] = []
      for await (const batch of inbox.chunksOf(here, 1)) found.push(...batch)
      const inOrder = (chunks: readonly Chunk[]) =>
        plain([...chunks].sort((a, b) => a.generation - b.generation))
      expect(inOrder(found)).toEqual(inOrder(many))
    })

    test('what fills inboxes lies apart, in the last month there is', async () => {
      const filled = chunk(5, 2 ** 52 + 2 ** 30 + 1)
      await inbox.putChunks(here, FILL_MONTH, [filled])
      await inbox.putChunks(here, 1, [chunk(5, 1)])
      expect(await namesBelow(1, 5, Number.MAX_SAFE_INTEGER, 9)).toEqual(['1.0'])
      const below = Number.MAX_SAFE_INTEGER
      expect(plain(await inbox.chunksBelow(here, FILL_MONTH, 5, below, 9))).toEqual(plain([filled]))
      const found: Chunk[] = []
      for await (const batch of inbox.chunksOf(here, FILL_MONTH)) found.push(...batch)
      expect(plain(found)).toEqual(plain([filled]))
      await readers.dropTerm(here)
      expect(await inbox.chunksBelow(here, FILL_MONTH, 5, below, 9)).toEqual([])
    })

    test('dropping a stay drops its chunks and no other’s', async () => {
      for (const at of [here, ...neighbours]) await inbox.putChunks(at, 1, [chunk(1, 1)])
      await readers.dropTerm(here)
      expect(await inbox.chunksBelow(here, 1, 1, 9, 9)).toEqual([])
      for (const at of neighbours) expect(await inbox.chunksBelow(at, 1, 1, 9, 9)).toHaveLength(1)
      expect((await inbox.size()).chunks).toBe(neighbours.length)
    })
  })

  describe(`reader table contract: ${name}`, () => {
    beforeEach(opened)
    const row = (reader: number, count: number, at = here, boot = 1): ReaderRow => ({
      ...at,
      reader,
      version: version(count, boot),
      bytes: bytes(`${reader} ${boot} ${count}`),
    })

    test('all readers of a slot’s stay are read, in bounded batches', async () => {
      const rows = Array.from({ length: 1_500 }, (_, i) => row(i * 300 + 1, 1))
      await readers.put(rows)
      await readers.put(neighbours.map((at) => row(1, 9, at)))
      expect(plain(await readersOf(here))).toEqual(plain(rows))
      expect(await readersOf({ slot: 99, term: 1 })).toEqual([])
    })

    test('the greater version stays: boot before count, late writes too', async () => {
      await readers.put([row(1, 5), row(2, 2 ** 40), row(3, 9), row(4, 2)])
      await readers.put([row(1, 4), row(2, 1, here, 2), row(3, 10), row(3, 8), row(4, 1, here, 0)])
      const expected = [row(1, 5), row(2, 1, here, 2), row(3, 10), row(4, 2)]
      expect(plain(await readersOf(here))).toEqual(plain(expected))
    })

    test('a reader’s row may be large or empty', async () => {
      const large = { ...row(1, 1), bytes: new Uint8Array(800_000).fill(9) }
      const empty = { ...row(2, 1), bytes: new Uint8Array(0) }
      await readers.put([large, empty])
      expect(plain(await readersOf(here))).toEqual(plain([large, empty]))
    })

    test('one reader is read, by the row that stays, whatever its size', async () => {
      const large = { ...row(5, 1), bytes: new Uint8Array(800_000).fill(9) }
      await readers.put([row(4, 1), row(4, 3), row(4, 2), large, row(6, 1)])
      const found = await Promise.all([4, 5, 7].map((reader) => readers.get(here, reader)))
      expect(plain(found.flatMap((each) => each ?? []))).toEqual(plain([row(4, 3), large]))
      for (const at of neighbours) expect(await readers.get(at, 4)).toBeUndefined()
    })

    test('reach is one row a stay, and the greater version stays', async () => {
      const reach = (at: SlotTerm, count: number) => ({
        ...at,
        version: version(count),
        bytes: bytes(`${count}`),
      })
      const other = neighbours[0] ?? here
      await readers.putReach([reach(here, 2), reach(other, 1)])
      await readers.putReach([reach(here, 1), reach(other, 3)])
      const found = (await readers.reach()).sort((a, b) => a.term - b.term)
      expect(plain(found)).toEqual(plain([reach(other, 3), reach(here, 2)]))
    })

    test('dropping a stay drops readers and reach, and no other’s', async () => {
      const all = [here, ...neighbours]
      await readers.put(Array.from({ length: 3_000 }, (_, i) => row(i + 1, 1)))
      await readers.put(neighbours.map((at) => row(1, 1, at)))
      await readers.putReach(all.map((at) => ({ ...at, version: version(1), bytes: bytes('r') })))
      await readers.dropTerm(here)
      await readers.dropTerm(here)
      expect(await readersOf(here)).toEqual([])
      for (const at of neighbours) expect(await readersOf(at)).toHaveLength(1)
      expect(await readers.reach()).toHaveLength(neighbours.length)
    })
  })
}
