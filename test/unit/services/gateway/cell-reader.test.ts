// Reads: moves are followed and never seen by the client; what a cell has not applied in time is told.

import { expect, test } from 'vitest'
import { firstPlacement } from '../../../../cells/model/placement.ts'
import { userKey } from '../../../../cells/model/user-key.ts'
import type { Answer, CellClient } from '../../../../cells/ports/cell-client.ts'
import { CellReader } from '../../../../services/gateway/cell-reader.ts'
import { Router } from '../../../../services/router/router.ts'
import { Metrics } from '../../../../services/runtime/metrics.ts'

const viewer = userKey('bob')
const placement = firstPlacement(['cell-1'], 4)
const clientOf = (cell: string) => ({ cell }) as CellClient

function readerOf(): CellReader {
  const router = new Router(placement, clientOf)
  return new CellReader({ router, limits: { movedFollowedMax: 4 }, metrics: new Metrics() })
}

const callWith = (signal = new AbortController().signal) => ({ viewer, seen: [], signal })
const moved = (cell: string, epoch: number): Answer<string> => ({
  kind: 'moved',
  cell,
  epoch,
  slot: 0,
})

test('follows an answer `moved` to the cell it names', async () => {
  const asked: string[] = []
  const answer = await readerOf().asViewer(callWith(), async ({ cell }) => {
    asked.push(cell)
    return cell === 'cell-3'
      ? { kind: 'ok', value: 'here', position: [7] }
      : moved(cell === 'cell-1' ? 'cell-2' : 'cell-3', asked.length + 1)
  })
  expect(answer).toMatchObject({ value: 'here', position: [7] })
  expect(asked).toEqual(['cell-1', 'cell-2', 'cell-3'])
})

test('gives up after a few moves', async () => {
  let epoch = 1
  const asked = readerOf().asViewer(callWith(), async () => moved(`cell-${epoch}`, ++epoch))
  await expect(asked).rejects.toMatchObject({ code: 'CELL_UNAVAILABLE' })
  expect(epoch).toBeLessThan(10)
})

test('says which partition is furthest behind when time is over', async () => {
  const asked = readerOf().asViewer(callWith(AbortSignal.abort()), async () => {
    return { kind: 'late', missing: [5, 100, 0], position: [4, 10, 0] }
  })
  await expect(asked).rejects.toMatchObject({
    code: 'CONSISTENCY_NOT_REACHED',
    metadata: { partition: 1, wanted_offset: 100, applied_offset: 10, cell: 'cell-1' },
  })
})

test('takes a cell that gives up before time is over for one that stops', async () => {
  const asked = readerOf().asViewer(callWith(), async () => {
    return { kind: 'late', missing: [5], position: [4] }
  })
  await expect(asked).rejects.toMatchObject({ code: 'CELL_UNAVAILABLE' })
})
