// A data folder that cannot be used says why in one line, and leaves things as they are.

import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { EmbeddedCellStore } from '../../infra/embedded/cell-store.ts'
import { DataFolder } from '../../infra/embedded/data-folder.ts'
import { DataFolderError } from '../../infra/embedded/data-folder-error.ts'
import { Environment } from '../../infra/embedded/environment.ts'
import { postRow } from './post-table-contract.ts'
import { testFolders } from './test-folders.ts'

const { folder, closeLater } = testFolders()

async function expectRefused(opening: Promise<unknown>, code: DataFolderError['code']) {
  await expect(opening).rejects.toBeInstanceOf(DataFolderError)
  await expect(opening).rejects.toMatchObject({ code })
  await expect(opening).rejects.toThrow(/^[^\n]+: [^\n]+$/)
}

test('a folder that is not there is made, and opens again after it was closed', async () => {
  const path = join(await folder(), 'some', 'data')
  const first = closeLater(await DataFolder.open({ path }))
  const store = closeLater(await first.openCellStore('one'))
  await store.posts.put([postRow(1, 1n)])
  await store.close()
  await first.close()
  const again = closeLater(await DataFolder.open({ path }))
  const reopened = closeLater(await again.openCellStore('one'))
  expect((await reopened.posts.idsBelow(1, undefined, 9)).postIds).toEqual([1n])
  expect(await readdir(path)).toEqual(['cells', 'format', 'id', 'lock'])
})

test('a folder in use is refused with the process that has it', async () => {
  const path = await folder()
  closeLater(await DataFolder.open({ path }))
  await expectRefused(DataFolder.open({ path }), 'IN_USE')
  await expect(DataFolder.open({ path })).rejects.toThrow(`process ${process.pid}:`)
})

test.runIf(process.platform === 'linux')(
  'its lock is named alike by each version of Node',
  async () => {
    const path = await folder()
    closeLater(await DataFolder.open({ path }))
    const { dev, ino } = await stat(path)
    const sockets = await readFile('/proc/net/unix', 'utf8')
    const name = sockets.match(new RegExp(`@cellfeed-${dev}-${ino}-.*`))?.[0]
    expect(name).toHaveLength(108)
    expect(name).toMatch(/-$/)
  },
)

test('a folder that was removed while it was in use keeps no other from being opened', async () => {
  const used = await folder()
  closeLater(await DataFolder.open({ path: used }))
  await rm(used, { recursive: true })
  // Most systems give it the inode of the other.
  const next = await folder()
  closeLater(await DataFolder.open({ path: next }))
  expect(await readdir(next)).toContain('lock')
})

test('of many who open at once exactly one gets the folder', async () => {
  const path = await folder()
  const opened = await Promise.allSettled([1, 2, 3, 4, 5].map(() => DataFolder.open({ path })))
  const got = opened.flatMap((o) => (o.status === 'fulfilled' ? [closeLater(o.value)] : []))
  expect(got).toHaveLength(1)
})

test('a path that cannot be a folder is refused', async () => {
  const file = join(await folder(), 'file')
  await writeFile(file, 'text')
  await expectRefused(DataFolder.open({ path: file }), 'NOT_WRITABLE')
  await expectRefused(DataFolder.open({ path: join(file, 'data') }), 'NOT_WRITABLE')
  await expectRefused(DataFolder.open({ path: '/proc/cellfeed/data' }), 'NOT_WRITABLE')
  expect(await readFile(file, 'utf8')).toBe('text')
})

test('a newer layout, or a newer store in it, is refused', async () => {
  const newer = await folder()
  await writeFile(join(newer, 'format'), '2\n')
  await expectRefused(DataFolder.open({ path: newer }), 'NEWER_FORMAT')
  await expectRefused(DataFolder.open({ path: newer }), 'NEWER_FORMAT')

  const path = await folder()
  const store = await Environment.open({ path, holds: 'cell store', format: 2 })
  await store.close()
  await expectRefused(EmbeddedCellStore.open({ path }), 'NEWER_FORMAT')
})

test('a folder used without fsync when the system went down is refused', async () => {
  const path = await folder()
  await writeFile(join(path, 'unsynced'), 'another boot\n')
  await expectRefused(DataFolder.open({ path }), 'LOST_WRITES')
})

test('without fsync a mark stays until the folder is closed, or opened with it', async () => {
  const path = await folder()
  const unsynced = async () => (await readdir(path)).includes('unsynced')
  const first = closeLater(await DataFolder.open({ path, fsync: 'never' }))
  closeLater(await first.openControlStore())
  expect(await unsynced()).toBe(true)
  await first.close()
  expect(await unsynced()).toBe(false)
  const second = closeLater(await DataFolder.open({ path, fsync: 'never' }))
  const mark = await readFile(join(path, 'unsynced'))
  await second.close()
  await writeFile(join(path, 'unsynced'), mark)
  closeLater(await DataFolder.open({ path, fsync: 'always' }))
  expect(await unsynced()).toBe(false)
})
