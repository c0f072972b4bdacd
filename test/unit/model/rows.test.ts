// Rows of a cell: what was written comes back, and what is none is refused.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { CorruptRow } from '../../../cells/model/byte-writer.ts'
import { NumberMap } from '../../../cells/model/number-map.ts'
import { BLOCKED, Reader } from '../../../cells/model/reader.ts'
import {
  type CheckpointPicture,
  decodeAuthorFacts,
  decodeCheckpoint,
  decodeReach,
  decodeReader,
  decodeWindowRun,
  encodeAuthorFacts,
  encodeCheckpoint,
  encodeReach,
  encodeReader,
  encodeWindowRun,
} from '../../../cells/model/rows.ts'

const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 })
const offset = fc.oneof(fc.nat(300), fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }))
const position = fc.array(offset, { maxLength: 16 })
const entries = fc.uniqueArray(u32, { maxLength: 50 })

const mapOf = (keys: readonly number[]): NumberMap => {
  const map = new NumberMap()
  for (const key of keys) map.set(key, (key * 3) >>> 0)
  return map
}
const columnsOf = (map: NumberMap | undefined) => {
  map?.compact()
  return map === undefined
    ? []
    : [...map.keys.subarray(0, map.size), ...map.words].slice(0, map.size * 2)
}

test('a reader comes back with edges, marks, changes and position', () => {
  fc.assert(
    fc.property(
      entries,
      entries,
      entries,
      position,
      u32,
      u32,
      (edges, hid, changed, at, hi, lo) => {
        const hidden = hid.length === 0 ? undefined : mapOf(hid)
        const changes = changed.length === 0 ? undefined : mapOf(changed)
        const reader = new Reader({ number: 7, slot: 3, edges: mapOf(edges), hidden, changes })
        reader.markRead(hi, lo)
        reader.filledBelow = lo
        reader.seenS = hi
        const back = decodeReader({ number: 7, slot: 3 }, encodeReader(reader, at))
        expect([back.number, back.slot, back.recoveredAt]).toEqual([7, 3, at])
        expect([back.filledBelow, back.seenS]).toEqual([lo, hi])
        expect([back.readMarkHi, back.readMarkLo]).toEqual([reader.readMarkHi, reader.readMarkLo])
        for (const part of ['edges', 'hidden', 'changes'] as const) {
          expect(columnsOf(back[part])).toEqual(columnsOf(reader[part]))
        }
      },
    ),
  )
})

test('rows that do not say when a reader was seen, or whether the inbox was filled, are read', () => {
  const reader = new Reader({ number: 7, slot: 3, edges: mapOf([1, 2]) })
  reader.filledBelow = 9
  reader.seenS = 11
  const row = encodeReader(reader, [1])
  const back = (format: number, cut: number) =>
    decodeReader({ number: 7, slot: 3 }, row.slice(0, row.length - cut).with(0, format))
  expect(back(2, 4)).toMatchObject({ filledBelow: 9, seenS: 0 })
  expect(back(1, 5)).toMatchObject({ filledBelow: 0, seenS: 0 })
  expect(columnsOf(back(1, 5).edges)).toEqual(columnsOf(reader.edges))
})

test('a reader whose last hidden user was shown again comes back', () => {
  const reader = new Reader({ number: 7, slot: 3 })
  const at = { ms: 0, imported: false }
  reader.setHidden(2, BLOCKED, { on: true, at })
  reader.setHidden(2, BLOCKED, { on: false, at })
  const back = decodeReader({ number: 7, slot: 3 }, encodeReader(reader, [1]))
  expect(back.hiddenBits(2)).toBe(0)
})

test('author facts and reach come back', () => {
  fc.assert(
    fc.property(u32, fc.boolean(), fc.boolean(), position, (raised, pulled, deleted, at) => {
      const facts = { raised, pulled, deleted }
      expect(decodeAuthorFacts(encodeAuthorFacts(facts))).toEqual(facts)
      const reach = { floor: raised, position: at }
      expect(decodeReach(encodeReach(reach))).toEqual(reach)
    }),
  )
})

test('a run of the window comes back', () => {
  fc.assert(
    fc.property(position, fc.array(fc.tuple(u32, u32, u32), { maxLength: 50 }), (end, posts) => {
      const column = (i: 0 | 1 | 2) => Uint32Array.from(posts, (post) => post[i])
      const run = { end, hi: column(0), lo: column(1), authorReblog: column(2) }
      expect(decodeWindowRun(encodeWindowRun(run))).toEqual(run)
    }),
  )
})

test('a checkpoint comes back', () => {
  const picture: CheckpointPicture = {
    logId: 'log',
    position: [1, 2 ** 50],
    lastEventIds: ['18446744073709551615', '0'],
    memory: [{ nextOffset: 1, runningMaxMs: 1_700_000_000_000, replayFromOffset: 0 }],
    windowBlocks: [{ boot: 2, count: 1 }],
    droppedHi: 2 ** 32 - 1,
    droppedLo: 2 ** 32 - 1,
    entriesDelivered: 12,
  }
  expect(decodeCheckpoint(encodeCheckpoint(picture))).toEqual(picture)
})

test('another format, and a row that ends too early, are refused', () => {
  const row = encodeReader(new Reader({ number: 1, slot: 1, edges: mapOf([1, 2]) }), [1, 2])
  expect(() => decodeReader({ number: 1, slot: 1 }, row.with(0, 9))).toThrow('format 9')
  for (let length = 0; length < row.length; length++) {
    expect(() => decodeReader({ number: 1, slot: 1 }, row.slice(0, length))).toThrow(CorruptRow)
  }
})
