// What the embedded stores acknowledged is there after kill -9, in both fsync modes, and the folder opens at once.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, expect, test } from 'vitest'
import type { PostId } from '../../cells/model/post-id.ts'
import { MARK_VERSION } from '../../cells/ports/post-table.ts'
import { DataFolder } from '../../infra/embedded/data-folder.ts'
import type { FsyncMode } from '../../infra/embedded/environment.ts'
import { manualClock } from './manual-clock.ts'
import { testFolders } from './test-folders.ts'

const { folder, closeLater } = testFolders()
const writers: ChildProcess[] = []

afterEach(() => {
  for (const writer of writers.splice(0)) writer.kill('SIGKILL')
})

type Acknowledged = {
  readonly partition: number
  readonly offset: number
  readonly author: number
  readonly postId: PostId
}

/** Has a process write until it has acknowledged so many posts, and kills it then. */
async function writeAndKill(options: {
  readonly path: string
  readonly fsync: FsyncMode
  readonly worker: number
  readonly posts: number
}): Promise<Acknowledged[]> {
  const script = join(import.meta.dirname, 'embedded-writer.ts')
  const { path, fsync, worker, posts } = options
  const args = ['--import', 'tsx', script, path, fsync, `${worker}`]
  const writer = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  writers.push(writer)
  const acknowledged: Acknowledged[] = []
  for await (const line of createInterface({ input: writer.stdout })) {
    const [partition, offset, author, postId] = line.split(' ')
    if (postId === undefined) break
    acknowledged.push({
      partition: Number(partition),
      offset: Number(offset),
      author: Number(author),
      postId: BigInt(postId) as PostId,
    })
    if (acknowledged.length === 1) await expectInUse(path, writer.pid)
    if (acknowledged.length === posts) writer.kill('SIGKILL')
  }
  if (writer.exitCode === null && writer.signalCode === null) await once(writer, 'exit')
  expect(writer.signalCode).toBe('SIGKILL')
  expect(acknowledged.length).toBeGreaterThanOrEqual(posts)
  return acknowledged
}

async function expectInUse(path: string, pid: number | undefined): Promise<void> {
  const opening = DataFolder.open({ path })
  await expect(opening).rejects.toMatchObject({ name: 'DataFolderError', code: 'IN_USE' })
  await expect(opening).rejects.toThrow(`process ${pid}`)
}

async function expectAllThere(path: string, acknowledged: readonly Acknowledged[]): Promise<void> {
  const data = closeLater(await DataFolder.open({ path }))
  const firehose = closeLater(await data.openFirehose({ clock: manualClock() }))
  const store = closeLater(await data.openCellStore('one'))
  for (const { partition, offset, author, postId } of acknowledged) {
    const { records } = await firehose.fetch(partition, offset, 1)
    expect(records[0]?.event.fact).toMatchObject({ kind: 'post-created', postId })
    const [row] = await store.posts.get([{ author, postId }])
    const isMarked = postId % 5n === 0n
    expect({
      isMark: row?.version === MARK_VERSION,
      head: row?.body?.head.toString(),
      contentBytes: row?.body?.content.length,
    }).toEqual({
      isMark: isMarked,
      head: isMarked ? undefined : `head of ${postId}`,
      contentBytes: isMarked ? undefined : Number(postId % 3_000n),
    })
  }
  await store.close()
  await firehose.close()
  await data.close()
}

test.each(['always', 'never'] as const)(
  'every acknowledged post survives kill -9 (fsync %s)',
  async (fsync) => {
    const path = await folder()
    const acknowledged: Acknowledged[] = []
    for (const worker of [1, 2, 3]) {
      acknowledged.push(...(await writeAndKill({ path, fsync, worker, posts: worker * 150 })))
      await expectAllThere(path, acknowledged)
    }
  },
)
