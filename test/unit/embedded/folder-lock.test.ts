// A data folder's lock where the file system has no hard links.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { lockFolder } from '../../../infra/embedded/folder-lock.ts'

vi.mock('node:fs/promises', async (original) => ({
  ...(await original<object>()),
  link: () => Promise.reject(Object.assign(new Error('no links here'), { code: 'EPERM' })),
}))

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cellfeed-lock-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

test('of many who open it at once for the first time one gets it, and it can be opened again', async () => {
  const all = await Promise.allSettled(Array.from({ length: 8 }, () => lockFolder(folder)))
  const held = all.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
  expect(held).toHaveLength(1)
  const id = await readFile(join(folder, 'id'), 'utf8')
  await held[0]?.release()
  const again = await lockFolder(folder)
  expect(await readFile(join(folder, 'id'), 'utf8')).toBe(id)
  await again.release()
})

test('an id that was not written to its end is told of', async () => {
  await writeFile(join(folder, 'id'), '')
  await expect(lockFolder(folder)).rejects.toThrow(
    `${join(folder, 'id')} was not written to its end: remove it`,
  )
})
