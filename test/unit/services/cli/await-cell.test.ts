// What somebody reads who has added a cell, until it serves.

import { expect, test } from 'vitest'
import { awaitCell } from '../../../../services/cli/await-cell.ts'
import type { Terminal } from '../../../../services/cli/terminal.ts'
import type { CellLoading, CellStatus } from '../../../../services/client/admin-calls.ts'
import type { Cellfeed } from '../../../../services/client/connect.ts'

type Seen = Pick<CellStatus, 'state'> & { loading?: CellLoading; stateDetail?: string }

/** A second passes with each look. */
async function watched(seen: readonly (Seen | undefined)[], isJson = false) {
  const lines: string[] = []
  const told: string[] = []
  const codes: number[] = []
  let nowMs = 0
  const feed: Partial<Cellfeed> = {
    cells: async () => {
      const now = seen[Math.min(nowMs / 1_000, seen.length - 1)]
      nowMs += 1_000
      const cell = { cell: 'cell-3', stateDetail: '', loading: undefined, ...now }
      return now === undefined ? [] : [cell as CellStatus]
    },
  }
  const terminal: Partial<Terminal> = {
    out: (line) => void lines.push(line),
    progress: (line) => void told.push(line),
    endWith: (code) => void codes.push(code),
    isInteractive: !isJson,
    nowMs: () => nowMs,
    interrupted: new AbortController().signal,
  }
  await awaitCell(feed as Cellfeed, 'cell-3', { terminal: terminal as Terminal, isJson })
  return { lines, told, codes }
}

const applied = (part: number): Seen => ({
  state: 'LOADING',
  loading: { step: 'events', part, done: BigInt(part * 1_000) },
})

test('how much is applied, how fast, and how long it still takes', async () => {
  const seen = [undefined, applied(0), applied(0.25), applied(0.5), { state: 'SERVING' as const }]
  const { lines, told, codes } = await watched(seen)
  expect(told).toEqual([
    'cell-3 applies the firehose: 0 %, 0 events, 0 events/s',
    'cell-3 applies the firehose: 25 %, 250 events, 250 events/s, 3 s left',
    'cell-3 applies the firehose: 50 %, 500 events, 250 events/s, 2 s left',
    '',
  ])
  expect(lines).toEqual(['cell-3 serves'])
  expect(codes).toEqual([])
})

test('posts that are copied first, for programs', async () => {
  const copied: Seen = { state: 'LOADING', loading: { step: 'posts', part: 0.1, done: 7n } }
  const { lines } = await watched(
    [...Array.from({ length: 5 }, () => copied), { state: 'SERVING' }],
    true,
  )
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { cell: 'cell-3', state: 'LOADING', loading: { step: 'posts', part: 0.1, done: '7' } },
    { cell: 'cell-3', state: 'SERVING' },
  ])
})

test('a cell without a process is to be started by somebody', async () => {
  const { lines, codes } = await watched([
    { state: 'UNREACHABLE', stateDetail: 'never announced itself' },
  ])
  expect(lines).toEqual(['cell-3 does not run: never announced itself'])
  expect(codes).toEqual([])
})

test('a cell that refuses for a moment is waited for, also after it loaded for long', async () => {
  const seen = [...Array.from({ length: 8 }, () => applied(0.5)), { state: 'UNREACHABLE' as const }]
  const { lines } = await watched([...seen, { state: 'REFUSING' }, { state: 'SERVING' }])
  expect(lines).toEqual(['cell-3 serves'])
})

test('one that is never listed is a failure', async () => {
  const { lines, codes } = await watched([undefined])
  expect(lines).toEqual(['cell-3 does not start: see the log of the server'])
  expect(codes).toEqual([1])
})

test('a cell that refuses is told with its reason, and as a failure', async () => {
  const { lines, codes } = await watched([{ state: 'REFUSING', stateDetail: 'its disk is full' }])
  expect(lines).toEqual(['cell-3 does not serve: its disk is full'])
  expect(codes).toEqual([1])
})
