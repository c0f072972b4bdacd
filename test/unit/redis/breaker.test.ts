// The breaker: every state with every event, and random sequences of them.

import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type BreakerEvent,
  type BreakerState,
  CLOSED,
  isAdmitting,
  next,
} from '../../../infra/redis/breaker.ts'

const limits = { failuresMax: 3, pauseMs: 100, pauseMaxMs: 400 }
const at = 1_000

const closed = (failures: number): BreakerState => ({ kind: 'closed', failures })
const open = (untilMs: number, pauseMs: number): BreakerState => ({
  kind: 'open',
  untilMs,
  pauseMs,
})
const probing = (pauseMs: number): BreakerState => ({ kind: 'probing', pauseMs })

type Row = { readonly from: BreakerState } & {
  readonly [event in BreakerEvent]: BreakerState
}
const table: Record<string, Row> = {
  'closed, no failures': {
    from: closed(0),
    asked: closed(0),
    answered: closed(0),
    failed: closed(1),
  },
  'closed, some failures': {
    from: closed(1),
    asked: closed(1),
    answered: closed(0),
    failed: closed(2),
  },
  'closed, one below the maximum': {
    from: closed(2),
    asked: closed(2),
    answered: closed(1),
    failed: open(at + 100, 100),
  },
  'open, pausing': {
    from: open(at + 1, 100),
    asked: open(at + 1, 100),
    answered: open(at + 1, 100),
    failed: open(at + 1, 100),
  },
  'open, pause over': {
    from: open(at, 100),
    asked: probing(100),
    answered: open(at, 100),
    failed: open(at, 100),
  },
  probing: {
    from: probing(100),
    asked: probing(100),
    answered: closed(0),
    failed: open(at + 200, 200),
  },
  'probing, pause at its maximum': {
    from: probing(400),
    asked: probing(400),
    answered: closed(0),
    failed: open(at + 400, 400),
  },
}

describe('every state with every event', () => {
  for (const [name, row] of Object.entries(table)) {
    for (const event of ['asked', 'answered', 'failed'] as const) {
      test(`${name}: ${event}`, () => {
        expect(next(row.from, event, at, limits)).toEqual(row[event])
      })
    }
  }
})

test('asks while closed, not while open, and once when the pause is over', () => {
  expect(isAdmitting(closed(2), at)).toBe(true)
  expect(isAdmitting(open(at + 1, 100), at)).toBe(false)
  expect(isAdmitting(open(at, 100), at)).toBe(true)
  expect(isAdmitting(next(open(at, 100), 'asked', at, limits), at)).toBe(false)
})

const steps = fc.array(
  fc.record({
    event: fc.constantFrom<BreakerEvent>('asked', 'answered', 'failed'),
    afterMs: fc.nat(300),
  }),
  { maxLength: 60 },
)

/** What holds of every state that a sequence leads to. */
function isBounded(state: BreakerState, nowMs: number): boolean {
  switch (state.kind) {
    case 'closed':
      return state.failures < limits.failuresMax
    case 'open':
      return state.pauseMs <= limits.pauseMaxMs && state.untilMs <= nowMs + state.pauseMs
    case 'probing':
      return state.pauseMs <= limits.pauseMaxMs
  }
}

test('whatever happened, it asks again within the greatest pause, and one answer closes it', () => {
  fc.assert(
    fc.property(steps, (sequence) => {
      let nowMs = 0
      let state = CLOSED
      for (const { event, afterMs } of sequence) {
        nowMs += afterMs
        if (event === 'asked' && !isAdmitting(state, nowMs)) continue
        state = next(state, event, nowMs, limits)
        expect(isBounded(state, nowMs)).toBe(true)
      }
      nowMs += limits.pauseMaxMs
      expect(state.kind === 'probing' || isAdmitting(state, nowMs)).toBe(true)
      state = next(next(state, 'asked', nowMs, limits), 'answered', nowMs, limits)
      expect(state.kind).toBe('closed')
    }),
  )
})
