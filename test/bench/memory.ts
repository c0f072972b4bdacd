// What a cell's memory goes to: a live reader with 200 follows, and a post in the window. Measured as the process sees it (heap
// and array buffers after a full collection), not added up from lengths. Beside the reader: a Set of 200 ids each.
//
//     node --expose-gc --import tsx test/bench/memory.ts

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { SLOTS_DEFAULT, slotOf } from '../../cells/model/placement.ts'
import { Reader } from '../../cells/model/reader.ts'
import { decodeReader, encodeReader } from '../../cells/model/rows.ts'
import { type BenchCell, benchCell, fillWindow, NEWEST_MS } from './bench-cell.ts'
import type { BenchRow } from './bench-row.ts'
import { type Draw, different, drawFrom, uniform } from './draw.ts'
import { isStarted, printTable } from './print.ts'

const USERS = 1_000_000
const READERS = 100_000
const FOLLOWS = 200
const POSTS = 10_000_000
const SPAN_MS = 24 * 3_600_000
const POSITION = new Array<number>(16).fill(1_000_000)

export async function bench(): Promise<BenchRow[]> {
  const draw = drawFrom(5)
  const cell = await benchCell({ users: USERS })
  const numbers = Array.from({ length: READERS }, (_, i) => i + 1)
  const loaded = bytesOfAll(numbers, (number) => loadReader(cell, number, draw))
  forgetReaders(cell)
  const live = bytesOfAll(numbers, (number) => followOneByOne(cell, number, draw))
  forgetReaders(cell)
  const sets = bytesOfAll(numbers, (number) => new Set(different(draw, FOLLOWS, USERS, number)))
  const window = bytesTaken(() => fillWindow(cell, POSTS, () => uniform(draw, USERS), SPAN_MS))
  const peer = `a Set of 200 numbers: ${sets.toFixed(0)} B`
  return [
    {
      what: 'memory of a reader with 200 follows, loaded from the store',
      figure: `${loaded.toFixed(0)} B`,
      goal: '<= 3 KB',
      peer,
    },
    {
      what: 'the same, all 200 followed within the last 30 days',
      figure: `${live.toFixed(0)} B`,
      goal: '<= 3 KB',
      peer,
    },
    {
      what: 'memory of a post in the window of 10 M, body apart',
      figure: `${(window / POSTS).toFixed(1)} B`,
      goal: '<= 24 B',
      peer: '',
    },
  ]
}

/** As after a restart: the row decoded. */
function loadReader(cell: BenchCell, number: number, draw: Draw): Reader {
  const reader = new Reader({ number, slot: slotFor(cell, number) })
  reader.linkSelf(0)
  const at = { ms: NEWEST_MS, imported: true }
  for (const author of different(draw, FOLLOWS, USERS, number)) {
    reader.follow(author, { coverage: 1, hideReblogs: false, at })
  }
  const row = encodeReader(reader, POSITION).slice()
  const decoded = decodeReader({ number, slot: reader.slot }, row)
  decoded.recoveredAt = undefined
  cell.state.addReader(decoded)
  return decoded
}

/** As they come: one event after another, each of which is remembered for 30 days. */
function followOneByOne(cell: BenchCell, number: number, draw: Draw): Reader {
  const reader = new Reader({ number, slot: slotFor(cell, number) })
  reader.linkSelf(0)
  cell.state.addReader(reader)
  const followed = different(draw, FOLLOWS, USERS, number)
  // Not in order of numbers.
  for (let i = 0; i < FOLLOWS; i++) {
    const author = followed[(i * 77) % FOLLOWS] ?? 0
    const at = { ms: NEWEST_MS + i, imported: false }
    reader.follow(author, { coverage: 1, hideReblogs: false, at })
  }
  // As the next checkpoint does, which leaves the maps compact.
  encodeReader(reader, POSITION)
  return reader
}

function slotFor({ users }: BenchCell, number: number): number {
  const user = users[number]
  if (user === undefined) throw new RangeError(`there is no user ${number}`)
  return slotOf(user.key, SLOTS_DEFAULT)
}

function forgetReaders({ state }: BenchCell): void {
  state.readers.clear()
  for (const slot of state.slots.values()) slot.readers.clear()
}

/** Bytes of each of what is made, as they stand together. */
function bytesOfAll(numbers: readonly number[], make: (number: number) => unknown): number {
  let made: unknown[] = []
  const bytes = bytesTaken(() => {
    made = numbers.map(make)
  })
  const ofList = made.length * 8
  return (bytes - ofList) / numbers.length
}

function bytesTaken(make: () => void): number {
  const before = bytesInUse()
  make()
  return bytesInUse() - before
}

function bytesInUse(): number {
  collect()
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

function collect(): void {
  setFlagsFromString('--expose-gc')
  const gc: unknown = runInNewContext('gc')
  if (typeof gc === 'function') gc()
}

if (isStarted(import.meta.url)) printTable(await bench())
