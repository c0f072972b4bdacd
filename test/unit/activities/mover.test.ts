// Whoever drives moves looks before slots change hands: nobody may come to see less than before.

import { expect, test } from 'vitest'
import { Mover } from '../../../cells/activities/mover.ts'
import { advance, type MoveEvent, planMove, type Refusal } from '../../../cells/model/move.ts'
import { firstPlacement, type Move, type Placement } from '../../../cells/model/placement.ts'
import type { SlotsReport } from '../../../cells/ports/cell-client.ts'
import { until } from './stage.ts'

const NOW_MS = 1_700_000_000_000
const LOG_END = [3]
const LIMITS = { stepMs: 1, idleMs: 1, retireMs: 60_000, returnMs: 0, awayMs: 60_000 }

function placed(placement: Placement | Refusal): Placement {
  if ('refused' in placement) throw new Error(placement.refused)
  return placement
}

/** Slot 0 on its way from a to b, as far as these events bring it. */
function moving({ isStandby }: { isStandby: boolean }, events: readonly MoveEvent[]): Placement {
  const wanted = { slots: [{ first: 0, last: 0 }], to: 'b', isStandby }
  let placement = placed(planMove(firstPlacement(['a', 'b'], 4), wanted, NOW_MS))
  for (const event of events) placement = placed(advance(placement, NOW_MS, event, NOW_MS))
  return placement
}

const READY: readonly MoveEvent[] = [
  { kind: 'prepared' },
  { kind: 'copied', term: 7 },
  { kind: 'verified' },
]

type Seen = Pick<SlotsReport, 'ready' | 'position'>
type Cells = {
  readonly a: Seen
  readonly b: Seen
  readonly isLost?: boolean
  /** Of the placement that the target knows; the newest if absent. */
  readonly epoch?: number
}

const WELL: Seen = { ready: true, position: [2] }

/** A mover of one placement, which it changes, and cells that live. */
class Stage {
  placement: Placement
  nowMs = NOW_MS
  #revision = 1
  readonly mover: Mover

  constructor(
    placement: Placement,
    cells: Cells,
    verify: (move: Move) => Promise<string | undefined> = () => Promise.resolve(undefined),
  ) {
    this.placement = placement
    this.mover = new Mover(
      {
        placements: {
          read: () => Promise.resolve({ placement: this.placement, revision: this.#revision }),
          replace: (revision, next) => {
            if (revision !== this.#revision) return Promise.resolve(false)
            this.change(next)
            return Promise.resolve(true)
          },
        },
        clock: {
          nowMs: () => this.nowMs,
          sleep: () => new Promise((resolve) => setImmediate(resolve)),
          yield: () => Promise.resolve(),
        },
        report: (cell, query) => Promise.resolve(this.#report(cells, cell, query?.logEnd === true)),
        isDead: () => Promise.resolve(false),
        verify,
      },
      LIMITS,
    )
  }

  change(next: Placement): void {
    this.placement = next
    this.#revision++
  }

  #report(cells: Cells, cell: string, hasLogEnd: boolean): SlotsReport {
    const arrived = this.placement.moves.map(({ id }) => ({ move: id, term: 7 }))
    return {
      cell,
      boot: 1,
      logEnd: hasLogEnd ? LOG_END : undefined,
      epoch: this.placement.epoch,
      prepared: [],
      arrived: cells.isLost === true ? [] : arrived,
      copying: [],
      retained: [NOW_MS],
      failures: [],
      loads: [],
      ...(cell === 'a' ? cells.a : cells.b),
      ...(cell === 'b' && cells.epoch !== undefined ? { epoch: cells.epoch } : {}),
    }
  }
}

function failed(error: unknown): never {
  throw error
}

/** The phase after one look at cells that live. */
async function phaseAfter(placement: Placement, cells: Cells): Promise<string | undefined> {
  const stage = new Stage(placement, cells)
  await stage.mover.step(failed)
  return stage.placement.moves[0]?.phase.kind
}

test('a target takes over where it has passed its source', async () => {
  const ready = moving({ isStandby: false }, READY)
  const a = { ready: true, position: [2] }
  expect(await phaseAfter(ready, { a, b: { ready: true, position: [1] } })).toBe('ready')
  expect(await phaseAfter(ready, { a, b: { ready: true, position: [2] } })).toBe('retiring')
})

test('a source that recovers may have shown everything', async () => {
  const ready = moving({ isStandby: false }, READY)
  const a = { ready: false, position: [1] }
  expect(await phaseAfter(ready, { a, b: { ready: true, position: [2] } })).toBe('ready')
  expect(await phaseAfter(ready, { a, b: { ready: true, position: LOG_END } })).toBe('retiring')
})

test('slots do not go back while whoever took over recovers', async () => {
  const taken = moving({ isStandby: true }, [...READY, { kind: 'cut-over', isTakeover: true }])
  const a = { ready: true, position: [2] }
  expect(await phaseAfter(taken, { a, b: { ready: false, position: [1] } })).toBe('retiring')
  expect(await phaseAfter(taken, { a, b: { ready: true, position: [2] } })).toBe(undefined)
})

test('a source keeps its slots until the target has heard that it owns them', async () => {
  const over = moving({ isStandby: false }, [...READY, { kind: 'cut-over', isTakeover: false }])
  const phaseLater = async (epoch: number) => {
    const stage = new Stage(over, { a: WELL, b: WELL, epoch })
    stage.nowMs += LIMITS.retireMs
    await stage.mover.step(failed)
    return stage.placement.moves[0]?.phase.kind
  }
  expect(await phaseLater(over.epoch - 1)).toBe('retiring')
  expect(await phaseLater(over.epoch)).toBe(undefined)
})

test('a standby that has lost its copy begins anew, also while its source is well', async () => {
  const standing = moving({ isStandby: true }, READY)
  const well = { ready: true, position: [2] }
  expect(await phaseAfter(standing, { a: well, b: well })).toBe('ready')
  expect(await phaseAfter(standing, { a: well, b: well, isLost: true })).toBe('copying')
  const b = { ready: false, position: [1] }
  expect(await phaseAfter(standing, { a: well, b, isLost: true })).toBe('ready')
})

/** Slots 0 and 1 on their way, one ready to be cut over, the other to be verified. */
function twoMoving(): Placement {
  const first = moving({ isStandby: false }, READY)
  const wanted = { slots: [{ first: 1, last: 1 }], to: 'b' }
  let placement = placed(planMove(first, wanted, NOW_MS))
  const id = placement.epoch
  for (const event of READY.slice(0, 2)) placement = placed(advance(placement, id, event, NOW_MS))
  return placement
}

const phasesOf = ({ moves }: Placement) => moves.map(({ phase }) => phase.kind)

test('a verification that takes long keeps no other move waiting, and its verdict counts', async () => {
  let answer: (detail: string | undefined) => void = () => {}
  let asked = 0
  const verify = () => {
    asked++
    return new Promise<string | undefined>((resolve) => {
      answer = resolve
    })
  }
  const stage = new Stage(twoMoving(), { a: WELL, b: WELL }, verify)
  const ending = new AbortController()
  const running = stage.mover.run(ending.signal, failed)
  await until(() => phasesOf(stage.placement).includes('retiring'))
  expect(phasesOf(stage.placement)).toEqual(['retiring', 'verifying'])
  answer('relations of alice')
  await until(() => phasesOf(stage.placement).includes('differs'))
  ending.abort()
  await running
  expect(asked).toBe(1)
})

test('a verdict on what has been paused meanwhile is not said', async () => {
  let stage: Stage | undefined
  const pause = (): Promise<undefined> => {
    if (stage !== undefined) {
      const paused = advance(stage.placement, NOW_MS, { kind: 'paused' }, NOW_MS)
      stage.change(placed(paused))
    }
    return Promise.resolve(undefined)
  }
  const copied = moving({ isStandby: false }, READY.slice(0, 2))
  stage = new Stage(copied, { a: WELL, b: WELL }, pause)
  await stage.mover.step(failed)
  expect(stage.placement.moves[0]).toMatchObject({ isPaused: true, phase: { kind: 'verifying' } })
})
