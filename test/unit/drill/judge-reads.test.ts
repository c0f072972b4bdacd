// A read may fail only while the cell that may have been asked for it was down.

import { expect, test } from 'vitest'
import { judgeReads, type Whereabouts } from '../../drill/reads/judge-reads.ts'
import type { TimedRead } from '../../drill/reads/timed-reads.ts'

const killed = { cells: ['cell-1'], killedMs: 100, answeredMs: 200 }
const whereabouts: Whereabouts = {
  homes: (user) => [user === 'ann' ? 'cell-1' : 'cell-2'],
  mayMove: (user = 'ben', fromMs, toMs) => user === 'ben' && fromMs <= 50 && 50 <= toMs,
}
const read = (viewer: string | undefined, fromMs: number, failure?: string): TimedRead => ({
  viewer,
  fromMs,
  toMs: fromMs + 10,
  failure,
})
const judged = (...reads: TimedRead[]) => judgeReads(reads, [killed], whereabouts)

test('a failed read of a killed cell is excused from the kill until it answers again', () => {
  const excused = [read('ann', 95, 'away'), read('ann', 150, 'away'), read('ann', 195, 'away')]
  expect(judged(...excused)).toMatchObject({ failedInOutage: 3, wrongs: [] })
  const early = read('ann', 80, 'away')
  const late = read('ann', 201, 'away')
  expect(judged(early, late).wrongs).toEqual([early, late])
})

test('a failed read of a cell that was up is not', () => {
  const other = read('ben', 150, 'away')
  const nobodys = read(undefined, 150, 'away')
  expect(judged(other, nobodys).wrongs).toEqual([other, nobodys])
})

test('while everything is down every read is excused', () => {
  const { wrongs } = judgeReads(
    [read('ben', 150, 'away'), read(undefined, 150, 'away')],
    [{ ...killed, cells: undefined }],
    whereabouts,
  )
  expect(wrongs).toEqual([])
})

test('waits are those of cells that were up, and those at a cutover are told apart', () => {
  const { latenciesMs, atCutoverMs, besideCutoverMs, answeredInOutage } = judged(
    read('ann', 150),
    read('ann', 45),
    read('ben', 45),
    read('ben', 60),
  )
  expect([latenciesMs.length, answeredInOutage]).toEqual([3, 1])
  expect([atCutoverMs.length, besideCutoverMs.length]).toEqual([1, 1])
})
