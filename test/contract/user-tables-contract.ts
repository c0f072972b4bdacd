// What every table of followers, authors and names promises, and those of window blocks and checkpoints. `open` gives a new,
// empty cell store for each test.

import { beforeEach, describe, expect, test } from 'vitest'
import { type UserKey, userKey } from '../../cells/model/user-key.ts'
import type { CellStore, Version } from '../../cells/ports/cell-store.ts'
import { plain } from './sample-events.ts'

const version = (count: number, boot = 1): Version => ({ boot, count })
const bytes = (text: string) => new TextEncoder().encode(text)

export function describeUserTablesContract(name: string, open: () => Promise<CellStore>): void {
  let store: CellStore
  const opened = async () => {
    store = await open()
  }

  describe(`follower table contract: ${name}`, () => {
    beforeEach(opened)
    const keys = Array.from({ length: 25 }, (_, i) => userKey(`user ${i}`)).sort()
    const follower = (user: UserKey, count: number, follows = true, author = 5) => ({
      author,
      user,
      version: count,
      follows,
    })

    test('followers are paged in key order, each once, to the end', async () => {
      await store.followers.put([...keys].reverse().map((user) => follower(user, 1)))
      const first = keys.slice(0, 1).map((user) => follower(user, 1, true, 4))
      await store.followers.put([...first, ...first.map((row) => ({ ...row, author: 6 }))])
      const paged: UserKey[] = []
      for (let after: UserKey | undefined; ; ) {
        const page = await store.followers.after(5, after, 7)
        paged.push(...page)
        after = page.at(-1)
        if (page.length < 7) break
      }
      expect(paged).toEqual(keys)
      expect(await store.followers.after(9, undefined, 7)).toEqual([])
    })

    test('keys of all bytes are ordered as strings are', async () => {
      const extremes = ['\x00', '\x7f', '\x80', '\xff'].map((c) => c.repeat(16) as UserKey)
      await store.followers.put(extremes.map((user) => follower(user, 1)))
      expect(await store.followers.after(5, undefined, 9)).toEqual(extremes)
      expect(await store.followers.after(5, extremes[1], 9)).toEqual(extremes.slice(2))
      expect(await store.followers.after(5, extremes[3], 9)).toEqual([])
    })

    test('the greater offset decides, and tombstones do not shorten a page', async () => {
      await store.followers.put(keys.map((user) => follower(user, 10)))
      const gone = keys.filter((_, i) => i % 2 === 0)
      await store.followers.put(gone.map((user) => follower(user, 11, false)))
      await store.followers.put(keys.map((user) => follower(user, 9, false)))
      await store.followers.put(gone.map((user) => follower(user, 10, true)))
      const left = keys.filter((_, i) => i % 2 === 1)
      expect(await store.followers.after(5, undefined, 12)).toEqual(left)
      expect(await store.followers.after(5, undefined, 3)).toEqual(left.slice(0, 3))
    })
  })

  describe(`author table contract: ${name}`, () => {
    beforeEach(opened)
    const collect = async <R>(batches: AsyncIterable<readonly R[]>) => {
      const rows: R[] = []
      for await (const batch of batches) rows.push(...batch)
      return rows
    }

    test('the greater version of each author stays', async () => {
      const author = (n: number, count: number) => ({
        author: n,
        version: version(count),
        bytes: bytes(`${n} ${count}`),
      })
      const many = Array.from({ length: 2_500 }, (_, i) => author(i + 10, 1))
      await store.authors.put([...many, author(1, 5), author(2, 1)])
      await store.authors.put([author(1, 4), author(2, 2)])
      const rows = (await collect(store.authors.all())).sort((a, b) => a.author - b.author)
      expect(plain(rows)).toEqual(plain([author(1, 5), author(2, 2), ...many]))
    })

    test('the greater version of each block of greatest ids stays', async () => {
      const block = (n: number, count: number, boot = 1) => ({
        block: n,
        version: version(count, boot),
        bytes: new Uint8Array(8_192).fill(count),
      })
      await store.authors.putGreatest([block(0, 2), block(300, 3), block(1, 7)])
      await store.authors.putGreatest([block(0, 1, 2), block(300, 2), block(1, 7)])
      const rows = (await collect(store.authors.greatest())).sort((a, b) => a.block - b.block)
      expect(plain(rows)).toEqual(plain([block(0, 1, 2), block(1, 7), block(300, 3)]))
    })

    test('names are found by number and listed, numbers are reserved upwards', async () => {
      const nameRow = (number: number, id: string) => ({ number, key: userKey(id), id })
      const rows = [
        nameRow(1, 'anna'),
        nameRow(300, 'bért ☃'),
        nameRow(2 ** 31 - 1, 'x'.repeat(64)),
      ]
      await store.names.put(rows)
      await store.names.put(rows)
      await store.names.put([nameRow(2, 'anna')])
      const [anna, bert, longest] = rows
      const found = [longest, undefined, anna, nameRow(2, 'anna'), bert]
      expect(await store.names.get([2 ** 31 - 1, 3, 1, 2, 300])).toEqual(found)
      const listed = (await collect(store.names.all())).map(({ number, key }) => ({ number, key }))
      const expected = [...rows, nameRow(2, 'anna')].map(({ number, key }) => ({ number, key }))
      const byNumber = (a: { number: number }, b: { number: number }) => a.number - b.number
      expect(listed.sort(byNumber)).toEqual(expected.sort(byNumber))
      expect(await store.names.reservedEnd()).toBe(0)
      await store.names.reserve(5_000)
      await store.names.reserve(1_000)
      expect(await store.names.reservedEnd()).toBe(5_000)
    })

    test('an erased name keeps number and key, and nothing brings the string back', async () => {
      const row = { number: 7, key: userKey('anna'), id: 'anna' }
      await store.names.put([row])
      await store.names.put([{ ...row, id: '' }])
      await store.names.put([row])
      expect(await store.names.get([7])).toEqual([{ ...row, id: '' }])
      expect((await collect(store.names.all())).map(({ key }) => key)).toEqual([row.key])
    })
  })

  describe(`window and checkpoint table contract: ${name}`, () => {
    beforeEach(opened)

    test('window blocks are found by name until they are dropped', async () => {
      const block = (boot: number, count: number, size = 16_384) => ({
        name: { boot, count },
        bytes: new Uint8Array(size).fill(count),
      })
      const blocks = [block(1, 1), block(1, 2), block(2, 1), block(2, 2 ** 33, 0)]
      await store.window.put(blocks)
      await store.window.put(blocks.slice(0, 1))
      const names = blocks.map((b) => b.name)
      const unknown = { boot: 3, count: 1 }
      expect(plain(await store.window.get([...names, unknown]))).toEqual(
        plain([...blocks, undefined]),
      )
      await store.window.drop([...names.slice(0, 2), unknown])
      const left = [undefined, undefined, ...blocks.slice(2)]
      expect(plain(await store.window.get(names))).toEqual(plain(left))
    })

    test('there is one checkpoint, and the greater version stays', async () => {
      const row = (boot: number, count: number) => ({
        version: version(count, boot),
        bytes: new Uint8Array(50_000).fill(count),
      })
      expect(await store.checkpoints.get()).toBeUndefined()
      await store.checkpoints.put(row(1, 9))
      await Promise.all([store.checkpoints.put(row(2, 2)), store.checkpoints.put(row(2, 1))])
      await store.checkpoints.put(row(1, 10))
      expect(plain(await store.checkpoints.get())).toEqual(plain(row(2, 2)))
    })

    test('the greatest claim stays, whatever checkpoint there is', async () => {
      expect(await store.checkpoints.claimedBy()).toBe(0)
      await Promise.all([7, 2 ** 40, 8].map((boot) => store.checkpoints.claim(boot)))
      expect(await store.checkpoints.claimedBy()).toBe(2 ** 40)
      await store.checkpoints.claim(9)
      await store.checkpoints.put({ version: version(1, 10), bytes: bytes('row') })
      expect(await store.checkpoints.claimedBy()).toBe(2 ** 40)
      expect(plain((await store.checkpoints.get())?.version)).toEqual(version(1, 10))
    })
  })
}
