// The lease of a cell's process: every state meets every event.

import { expect, test } from 'vitest'
import {
  type LeaseEvent,
  type LeaseState,
  type LeaseStep,
  mayAnswer,
  nextLeaseState,
} from '../../../../services/cell/lease-state.ts'

const by = { boot: 9, address: 'there:7410' }
const states: { readonly [Kind in LeaseState['kind']]: LeaseState } = {
  held: { kind: 'held' },
  lapsed: { kind: 'lapsed' },
  unconfirmed: { kind: 'unconfirmed' },
  superseded: { kind: 'superseded', by: { boot: 7, address: 'elsewhere:7410' } },
}
const events: { readonly [Kind in LeaseEvent['kind']]: LeaseEvent } = {
  renewed: { kind: 'renewed' },
  overdue: { kind: 'overdue' },
  'stood-still': { kind: 'stood-still' },
  superseded: { kind: 'superseded', by },
}
type Expected = readonly [LeaseState['kind'], suspend: boolean]
const table: {
  readonly [State in LeaseState['kind']]: { readonly [Event in LeaseEvent['kind']]: Expected }
} = {
  held: {
    renewed: ['held', false],
    overdue: ['lapsed', true],
    'stood-still': ['unconfirmed', true],
    superseded: ['superseded', true],
  },
  lapsed: {
    renewed: ['held', false],
    overdue: ['lapsed', true],
    'stood-still': ['unconfirmed', true],
    superseded: ['superseded', true],
  },
  unconfirmed: {
    renewed: ['held', false],
    overdue: ['unconfirmed', true],
    'stood-still': ['unconfirmed', true],
    superseded: ['superseded', true],
  },
  superseded: {
    renewed: ['superseded', false],
    overdue: ['superseded', false],
    'stood-still': ['superseded', false],
    superseded: ['superseded', false],
  },
}

const cases = Object.values(states).flatMap((state) =>
  Object.values(events).map((event) => [state, event] as const),
)

test.each(cases)('$kind meets $1.kind', (state, event) => {
  const { state: after, suspend }: LeaseStep = nextLeaseState(state, event)
  expect([after.kind, suspend]).toEqual(table[state.kind][event.kind])
})

test('who has taken over first stays known', () => {
  const { state } = nextLeaseState(states.superseded, events.superseded)
  expect(state).toEqual(states.superseded)
  expect(nextLeaseState(states.held, events.superseded).state).toEqual({ kind: 'superseded', by })
})

test('only a process that knows itself to be the one, or has run all the time, answers', () => {
  const answering = Object.values(states).filter(mayAnswer)
  expect(answering.map(({ kind }) => kind)).toEqual(['held', 'lapsed'])
})
