// Group commit: callers share commits, in order, whole or not at all.

import { expect, test } from 'vitest'
import { Bell } from '../../../infra/in-process/bell.ts'
import { CommitFailed, GroupCommit } from '../../../infra/embedded/group-commit.ts'

type Group = { readonly rows: string[]; readonly end: (isCommitted: boolean) => void }

/** A store whose commits end when the test says so. */
function store(groupBytesMax = 100) {
  const { signal } = new AbortController()
  const begun = new Bell()
  const groups: Group[] = []
  const ended: boolean[] = []
  const commit = new GroupCommit({
    groupBytesMax,
    ended: (isCommitted) => void ended.push(isCommitted),
    transact: (writes) =>
      new Promise<boolean>((resolve, reject) => {
        const end = (ok: boolean) => (ok ? resolve(true) : reject(new Error('disk full')))
        groups.push({ rows: [], end })
        writes()
        begun.ring()
      }),
  })
  const write = (row: string) => {
    groups.at(-1)?.rows.push(row)
    return row
  }
  /** The commit of this number, once it waits for its end. */
  const nth = async (number: number): Promise<Group> => {
    const group = groups[number - 1]
    if (group !== undefined) return group
    await begun.rungSince(begun.rings, signal)
    return nth(number)
  }
  return { commit, write, nth, ended }
}

test('callers of one turn share a commit, later ones wait for the next', async () => {
  const { commit, write, nth, ended } = store()
  const first = [1, 2, 3].map((row) => commit.submit(1, () => write(`${row}`)))
  const group = await nth(1)
  const later = commit.submit(1, () => write('4'))
  expect(group.rows).toEqual(['1', '2', '3'])
  group.end(true)
  expect(await Promise.all(first)).toEqual(['1', '2', '3'])
  const second = await nth(2)
  expect(second.rows).toEqual(['4'])
  second.end(true)
  expect(await later).toBe('4')
  expect(ended).toEqual([true, true])
  await commit.idle()
})

test('a group is bounded by bytes, and one write may be larger alone', async () => {
  const { commit, write, nth } = store(10)
  const bytes = [6, 4, 1, 50, 2]
  const all = bytes.map((size) => commit.submit(size, () => write(`${size}`)))
  const groups: string[][] = []
  for (let n = 1; groups.flat().length < bytes.length; n++) {
    const group = await nth(n)
    groups.push([...group.rows])
    group.end(true)
  }
  expect(groups).toEqual([['6', '4'], ['1'], ['50'], ['2']])
  await Promise.all(all)
})

test('a failed commit rejects all its callers, and the next goes on', async () => {
  const { commit, write, nth, ended } = store()
  const failing = Promise.allSettled([1, 2].map((row) => commit.submit(1, () => write(`${row}`))))
  const group = await nth(1)
  group.end(false)
  for (const outcome of await failing) {
    if (outcome.status === 'fulfilled') throw new Error('told of a commit that failed')
    expect(outcome.reason).toBeInstanceOf(CommitFailed)
    expect(outcome.reason).toMatchObject({ code: 'COMMIT_FAILED', cause: new Error('disk full') })
  }
  const after = commit.submit(1, () => write('3'))
  const second = await nth(2)
  second.end(true)
  expect(await after).toBe('3')
  expect(ended).toEqual([false, true])
})

test('an append that was not the last of its table fails the commit', async () => {
  const { commit, write, nth } = store()
  const appending = Promise.allSettled([
    commit.submit(1, () => {
      commit.track(Promise.resolve(false))
      return write('1')
    }),
  ])
  const group = await nth(1)
  group.end(true)
  expect(await appending).toMatchObject([{ status: 'rejected', reason: { name: 'CommitFailed' } }])
})

test('a write that throws fails alone; one that writes nothing succeeds', async () => {
  const { commit, write, nth } = store()
  const throwing = Promise.allSettled([
    commit.submit(1, () => {
      throw new Error('a bug')
    }),
  ])
  const nothing = commit.submit(1, () => 'nothing')
  const written = commit.submit(1, () => write('1'))
  const group = await nth(1)
  group.end(true)
  expect(await throwing).toMatchObject([{ status: 'rejected', reason: { message: 'a bug' } }])
  expect(await Promise.all([nothing, written])).toEqual(['nothing', '1'])
})
