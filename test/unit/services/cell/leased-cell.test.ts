// Nothing is answered by a process that may have been replaced.

import { expect, test } from 'vitest'
import { userKey } from '../../../../cells/model/user-key.ts'
import type { Answer, CellClient, Unread } from '../../../../cells/ports/cell-client.ts'
import { LeasedCell } from '../../../../services/cell/leased-cell.ts'

const viewer = userKey('alice')

class SetLease {
  term: number | undefined = 0
  #wake: () => void = () => {}
  confirmed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
      signal.addEventListener('abort', () => resolve())
    })
  }
  confirm(term: number): void {
    this.term = term
    this.#wake()
  }
}

function cellThat(count: () => Promise<Answer<Unread>>): CellClient {
  return { cell: 'cell-1', countUnread: count } as unknown as CellClient
}

const unread = (count: number): Answer<Unread> => {
  return { kind: 'ok', value: { count, capped: false }, position: [] }
}

test('a call waits until the lease is confirmed', async () => {
  const lease = new SetLease()
  lease.term = undefined
  let asked = 0
  const cell = new LeasedCell(
    cellThat(async () => unread(++asked)),
    lease,
  )
  const { signal } = new AbortController()
  const answer = cell.countUnread({ viewer, seen: [], signal }, 10)
  await Promise.resolve()
  expect(asked).toBe(0)
  lease.confirm(1)
  expect(await answer).toEqual(unread(1))
})

test('an answer begun before the process stood still is made anew', async () => {
  const lease = new SetLease()
  let asked = 0
  const cell = new LeasedCell(
    cellThat(async () => {
      asked++
      if (asked === 1) lease.term = 1
      return unread(asked)
    }),
    lease,
  )
  const { signal } = new AbortController()
  expect(await cell.countUnread({ viewer, seen: [], signal }, 10)).toEqual(unread(2))
})

test('a call whose time is over is answered late', async () => {
  const lease = new SetLease()
  lease.term = undefined
  const cell = new LeasedCell(
    cellThat(async () => unread(1)),
    lease,
  )
  const calling = new AbortController()
  const answer = cell.countUnread({ viewer, seen: [4], signal: calling.signal }, 10)
  calling.abort()
  expect(await answer).toEqual({ kind: 'late', missing: [4], position: [] })
})
