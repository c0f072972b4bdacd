// Readers who have just followed 200 authors whose posts are all in the store: pages pull, until that has cost as much as filling the
// inbox does; then the inbox is filled, and pages read it.
//
//     node --import tsx test/bench/filling.ts

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ID_EPOCH_MS } from '../../cells/model/post-id.ts'
import { EmbeddedCellStore } from '../../infra/embedded/cell-store.ts'
import { addReader, benchCell, NEWEST_MS } from './bench-cell.ts'
import type { BenchRow } from './bench-row.ts'
import { different, drawFrom, uniform } from './draw.ts'
import { isStarted, printTable } from './print.ts'
import { firstPages, PAGE, postOver } from './stored-posts.ts'

const AUTHORS = 100_000
const READERS = 1_000
const FOLLOWS = 200
const POSTS = 1_000_000
const SPAN_MS = 90 * 86_400_000
const ROUNDS_MAX = 20

export async function bench(): Promise<BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'cellfeed-bench-'))
  const store = await EmbeddedCellStore.open({ path: folder, fsync: 'never' })
  try {
    const limits = { windowPostsKept: 0, windowPostsMax: 2 * POSTS }
    const cell = await benchCell({ users: AUTHORS, limits, store })
    const { state, parts } = cell
    void parts.book.run()
    const draw = drawFrom(31)
    await postOver(cell, { posts: POSTS, spanMs: SPAN_MS, author: () => uniform(draw, AUTHORS) })
    // Before anybody follows: no inbox holds them.
    await parts.delivery.write()
    if (state.window.size > 0) throw new Error('the window still holds posts')
    const coverage = Math.floor((NEWEST_MS - ID_EPOCH_MS) / 1_000) + 1
    for (let number = 1; number <= READERS; number++) {
      addReader(cell, number, different(draw, FOLLOWS, AUTHORS, number), coverage)
    }
    const pulled = await firstPages(cell, READERS)
    let rounds = 1
    const fromMs = performance.now()
    let filledMs = 0
    while (state.entriesFilled === 0 || state.pulled.hasFillable) {
      if (rounds++ > ROUNDS_MAX) throw new Error('no inbox was filled')
      await firstPages(cell, READERS)
      const fillingMs = performance.now()
      while (state.pulled.hasFillable) await parts.delivery.fill()
      filledMs += performance.now() - fillingMs
    }
    const tookMs = performance.now() - fromMs - filledMs
    const filled = await firstPages(cell, READERS)
    return [
      {
        what: `page of ${PAGE}, ${FOLLOWS} follows, from the filled inbox`,
        figure: filled,
        goal: '',
        peer: `before, pulled: ${pulled}`,
      },
      {
        what: 'to fill an inbox, a reader',
        figure: `${(filledMs / READERS).toFixed(2)} ms, ${Math.round(state.entriesFilled / READERS)} entries`,
        goal: '',
        peer: `after ${rounds} pages, of ${(tookMs / READERS / Math.max(1, rounds - 1)).toFixed(2)} ms`,
      },
    ]
  } finally {
    await store.close()
    await rm(folder, { recursive: true, force: true })
  }
}

if (isStarted(import.meta.url)) printTable(await bench())
