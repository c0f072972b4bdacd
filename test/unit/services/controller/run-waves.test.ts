// What the waves of a rebalance do: one after the other, and what happens when a gate says stop.

import { expect, test } from 'vitest'
import {
  type Move,
  MoveChange,
  MovePhase,
  type PlannedMove,
  type RebalanceResponse,
  type Wave,
} from '../../../../gen/cellfeed/admin/v1/admin_service.ts'
import { runWaves, type WavesPorts } from '../../../../services/controller/run-waves.ts'

const wanted = (from: string, slot: number): PlannedMove => ({
  slots: [{ first: slot, last: slot }],
  from,
  to: 'c',
  readers: 1n,
  bytes: 1n,
})
const WAVES: Wave[] = [
  { moves: [wanted('a', 1), wanted('b', 2), wanted('d', 3)] },
  { moves: [wanted('a', 4)] },
]
const { COPYING, DIFFERS, READY, RETIRING } = MovePhase

/** A cluster in which moves get as far as `phases` says; `gone` are over when they are looked at. */
function cluster(
  phases: readonly MovePhase[],
  {
    isCut = () => false,
    gone = () => false,
    owned = () => true,
  }: {
    isCut?: (id: bigint) => boolean
    gone?: (id: bigint) => boolean
    owned?: (planned: PlannedMove) => boolean
  } = {},
) {
  const moves = new Map<bigint, Move>()
  const paused: bigint[] = []
  let nowMs = 0
  const ports: WavesPorts = {
    clock: {
      nowMs: () => nowMs,
      sleep: async (ms) => {
        nowMs += ms
      },
    },
    begin: async ({ slots, from, to }) => {
      const phase = phases[moves.size] ?? COPYING
      const id = BigInt(moves.size + 1)
      const known: Partial<Move> = { id, slots, from, to, phase, detail: '', isPaused: false }
      moves.set(id, known as Move)
      return id
    },
    look: async (ids) => ({
      moves: [...moves.values()].filter(({ id }) => ids.has(id) && !gone(id)),
      isOwnedBy: owned,
    }),
    pause: async (id) => {
      const move = moves.get(id)
      if (move === undefined) throw new Error('there is no such move')
      if (isCut(id)) {
        moves.set(id, { ...move, phase: RETIRING })
        throw new Error('it is cut over')
      }
      paused.push(id)
      moves.set(id, { ...move, isPaused: true })
    },
    vitals: async () => {
      return { serving: ['a', 'b', 'c', 'd'], calls: 0, callsFailed: 0, p99Ms: 0, lagMs: 0 }
    },
  }
  return { ports, paused }
}

async function run(ports: WavesPorts, signal = new AbortController().signal) {
  const events: NonNullable<RebalanceResponse['event']>[] = []
  for await (const { event } of runWaves(WAVES, ports, signal)) {
    if (event !== undefined) events.push(event)
  }
  const last = events.at(-1)
  return { events, stopped: last?.$case === 'stopped' ? last.value : undefined }
}

test('one wave after the other, each move told', async () => {
  const { events } = await run(cluster([RETIRING, RETIRING, RETIRING, RETIRING]).ports)
  expect(events.map(({ $case }) => $case).join(' ')).toBe(
    'waveBegins move move move waveDone waveBegins move waveDone',
  )
  expect(events.at(-1)?.value).toEqual({ wave: 2, waves: 2, tookMs: 0n, readersMoved: 4n })
})

test('a move that is over already counts when the slots are where they were to go', async () => {
  const { ports } = cluster([RETIRING, RETIRING, RETIRING, RETIRING], { gone: (id) => id === 2n })
  expect((await run(ports)).events.at(-1)?.$case).toBe('waveDone')
})

test('a move that somebody took back stops it, also after its cutover', async () => {
  const { ports } = cluster([RETIRING, RETIRING, RETIRING], {
    gone: (id) => id === 2n,
    owned: ({ from }) => from !== 'b',
  })
  expect((await run(ports)).stopped).toMatchObject({
    reason: '1 moves were taken back',
    back: [
      { id: 1n, change: MoveChange.ROLL_BACK },
      { id: 3n, change: MoveChange.ROLL_BACK },
    ],
  })
})

test('when dashboards differ the others wait, and what takes each move back is told', async () => {
  const { ports, paused } = cluster([DIFFERS, COPYING, RETIRING])
  const { stopped } = await run(ports)
  expect(paused).toEqual([2n])
  expect(stopped).toEqual({
    reason: '1 moves show something else than their source',
    paused: [2n],
    back: [
      { id: 1n, change: MoveChange.ABORT },
      { id: 2n, change: MoveChange.ABORT },
      { id: 3n, change: MoveChange.ROLL_BACK },
    ],
  })
})

test('a move that is cut over just then is to be rolled back', async () => {
  const { ports, paused } = cluster([DIFFERS, READY, RETIRING], { isCut: (id) => id === 2n })
  const { stopped } = await run(ports)
  expect(paused).toEqual([])
  expect(stopped?.back.map(({ change }) => change)).toEqual([
    MoveChange.ABORT,
    MoveChange.ROLL_BACK,
    MoveChange.ROLL_BACK,
  ])
})

test('when nobody listens any more no wave is begun, and nothing is paused', async () => {
  const leaving = new AbortController()
  const { ports, paused } = cluster([COPYING, COPYING, COPYING])
  const look: WavesPorts['look'] = (ids) => {
    leaving.abort()
    return ports.look(ids)
  }
  const { events } = await run({ ...ports, look }, leaving.signal)
  expect(events.filter(({ $case }) => $case === 'waveBegins')).toHaveLength(1)
  expect(events.some(({ $case }) => $case === 'stopped')).toBe(false)
  expect(paused).toEqual([])
})
