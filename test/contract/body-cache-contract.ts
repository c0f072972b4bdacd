// What every body cache promises. It may forget at any time, so a found body must be the right one; that it finds any at all
// right after a set is what makes it a cache. `open` makes a new, empty one for each test, with room for 64 KiB at least.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { PostId } from '../../cells/model/post-id.ts'
import type { BodyCache } from '../../cells/ports/body-cache.ts'

export type OpenBodyCache = { readonly cache: BodyCache; readonly close: () => Promise<void> }

const key = (author: number, postId: bigint) => ({ author, postId: postId as PostId })
const entry = (author: number, postId: bigint, fill: number, size = 10) => ({
  key: key(author, postId),
  value: new Uint8Array(size).fill(fill),
})

export function describeBodyCacheContract(name: string, open: () => Promise<OpenBodyCache>): void {
  describe(`body cache contract: ${name}`, () => {
    let opened: OpenBodyCache
    let cache: BodyCache
    beforeEach(async () => {
      opened = await open()
      cache = opened.cache
    })
    afterEach(() => opened.close())

    const fills = async (...keys: ReturnType<typeof key>[]) =>
      (await cache.getMany(keys)).map((body) => body?.[0])

    test('answers in the order of the keys, undefined where it does not know', async () => {
      await cache.setMany([entry(1, 1n, 11), entry(1, 2n, 12), entry(2, 1n, 21)])
      expect(await fills(key(2, 1n), key(3, 1n), key(1, 1n))).toEqual([21, undefined, 11])
      expect(await cache.getMany([])).toEqual([])
    })

    test('tells authors and ids apart up to the greatest', async () => {
      const greatest = (1n << 64n) - 1n
      await cache.setMany([entry(1, greatest, 1), entry(1, greatest - 1n, 2), entry(11, 1n, 3)])
      await cache.setMany([entry(2 ** 31 - 1, greatest, 4)])
      expect(await fills(key(1, greatest), key(1, greatest - 1n))).toEqual([1, 2])
      expect(await fills(key(11, 1n), key(1, 11n))).toEqual([3, undefined])
      expect(await fills(key(2 ** 31 - 1, greatest))).toEqual([4])
    })

    test('what was removed is not found, the rest is', async () => {
      await cache.setMany([entry(1, 1n, 1), entry(1, 2n, 2)])
      await cache.remove([key(1, 1n), key(9, 9n)])
      expect(await fills(key(1, 1n), key(1, 2n))).toEqual([undefined, 2])
    })

    test('a new epoch knows nothing of the one before', async () => {
      await cache.setMany([entry(1, 1n, 1)])
      await cache.renew()
      expect(await fills(key(1, 1n))).toEqual([undefined])
      await cache.setMany([entry(1, 1n, 2)])
      expect(await fills(key(1, 1n))).toEqual([2])
    })

    test('a body set again is the newer one', async () => {
      await cache.setMany([entry(1, 1n, 1)])
      await cache.setMany([entry(1, 1n, 2)])
      expect(await fills(key(1, 1n))).toEqual([2])
    })
  })
}
