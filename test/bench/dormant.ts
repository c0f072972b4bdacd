// Readers who have been away for long: their first page of 20 from 200 follows, with posts in the window and with posts only in the
// embedded store; and what one who stays away takes of memory. Beside it the same page for readers who never left.
//
//     node --import tsx test/bench/dormant.ts

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DELIVERY_POLICY } from '../../cells/model/delivery-policy.ts'
import { Reader } from '../../cells/model/reader.ts'
import { EmbeddedCellStore } from '../../infra/embedded/cell-store.ts'
import { addReader, type BenchCell, benchCell } from './bench-cell.ts'
import type { BenchRow } from './bench-row.ts'
import { different, drawFrom, uniform } from './draw.ts'
import { isStarted, printTable } from './print.ts'
import { firstPages, PAGE, postOver } from './stored-posts.ts'

const AUTHORS = 100_000
const READERS = 3_000
const FOLLOWS = 200
const POSTS = 1_000_000
const SPAN_MS = 90 * 86_400_000
const AWAY = 1_000_000

export async function bench(): Promise<BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'cellfeed-bench-'))
  const store = await EmbeddedCellStore.open({ path: folder, fsync: 'never' })
  try {
    const policy = { ...DELIVERY_POLICY, dormantMs: 0 }
    const limits = { policy, windowPostsKept: 0, windowPostsMax: 2 * POSTS }
    const cell = await benchCell({ users: AUTHORS, limits, store })
    void cell.parts.book.run()
    const draw = drawFrom(29)
    await postOver(cell, { posts: POSTS, spanMs: SPAN_MS, author: () => uniform(draw, AUTHORS) })
    for (let number = 1; number <= READERS; number++) {
      const reader = addReader(cell, number, different(draw, FOLLOWS, AUTHORS, number))
      cell.state.noteChange(reader)
    }
    const here = await firstPages(cell, READERS)
    await leave(cell)
    const inWindow = await firstPages(cell, READERS)
    await leave(cell)
    await cell.parts.delivery.write()
    if (cell.state.window.size > 0) throw new Error('the window still holds posts')
    const inStore = await firstPages(cell, READERS)
    const again = await firstPages(cell, READERS)
    const what = `first page of ${PAGE} after long, ${FOLLOWS} follows`
    return [
      {
        what: `${what}, posts in memory`,
        figure: inWindow,
        goal: 'p99 < 10 ms',
        peer: `of readers who never left: ${here}`,
      },
      {
        what: `${what}, posts only in the store`,
        figure: inStore,
        goal: 'p99 < 60 ms',
        peer: `the second page read: ${again}`,
      },
      memoryRow(cell),
    ]
  } finally {
    await store.close()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Everybody is left out of inboxes, and out of memory. */
async function leave({ state, parts }: BenchCell): Promise<void> {
  await parts.policy.decide()
  await parts.away.sweep()
  if (state.readersAway !== READERS) throw new Error(`${state.readersAway} are away`)
}

/** What is left of a reader who is away, but for the name, which every user has. */
function memoryRow({ state }: BenchCell): BenchRow {
  const slots = [...state.slots.values()]
  const before = used()
  for (let number = AUTHORS + 1; number <= AUTHORS + AWAY; number++) {
    const slot = slots[number % slots.length]
    if (slot !== undefined) state.letGo(new Reader({ number, slot: slot.slot }), slot)
  }
  const bytes = (used() - before) / AWAY
  return {
    what: 'memory of a reader who is away',
    figure: `${bytes.toFixed(1)} bytes`,
    goal: '< 24 bytes',
    peer: `of one who is here, ${FOLLOWS} follows: ${Math.round(state.readersBytes / state.readers.size)} bytes`,
  }
}

function used(): number {
  globalThis.gc?.()
  globalThis.gc?.()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

if (isStarted(import.meta.url)) printTable(await bench())
