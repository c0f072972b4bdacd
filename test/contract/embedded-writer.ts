// A process that writes to a data folder until it is killed. Every post that firehose and cell store have acknowledged is a
// line on standard output: partition, offset, author, post id. Every fifth is a mark by then. Run by embedded-kill.test.ts.

import { join } from 'node:path'
import { MARK_VERSION } from '../../cells/ports/post-table.ts'
import { EmbeddedCellStore } from '../../infra/embedded/cell-store.ts'
import { DataFolder } from '../../infra/embedded/data-folder.ts'
import { IdAllocator } from '../../cells/model/id-allocator.ts'
import type { EventId, PostId } from '../../cells/model/post-id.ts'
import { userRef } from '../../cells/model/user-key.ts'
import { systemClock } from '../../infra/system/clock.ts'

const WRITERS = 8
const [path = '', fsync = 'always', worker = '0'] = process.argv.slice(2)
const folder = await DataFolder.open({ path, fsync: fsync === 'never' ? 'never' : 'always' })
const firehose = await folder.openFirehose({ clock: systemClock })
const store = await EmbeddedCellStore.open({
  path: join(path, 'cells', 'one'),
  fsync: folder.fsync,
  // Small runs, so that the index is merging when the kill comes.
  postIndex: { openRunEntriesMax: 10, fanIn: 3 },
})
const ids = new IdAllocator(Number(worker))

async function writeForever(author: number): Promise<never> {
  for (;;) {
    const postId = ids.allocate(systemClock.nowMs()) as PostId
    const head = new TextEncoder().encode(`head of ${postId}`)
    const content = new Uint8Array(Number(postId % 3_000n)).fill(Number(postId & 0xffn))
    const id = ids.allocate(systemClock.nowMs()) as EventId
    const named = { author: userRef(`author ${author}`), postId }
    const body = { head, content, reblogOf: undefined }
    const fact = { kind: 'post-created' as const, ...named, ...body, audience: 'public' as const }
    const [at] = await firehose.append([{ id, fact }])
    const version = at?.offset ?? 0
    const row = { author, postId, version, createdOffset: version }
    await store.posts.put([{ ...row, body: { ...body, followersOnly: false } }])
    if (postId % 5n === 0n) {
      const mark = { version: MARK_VERSION, createdOffset: -1, body: undefined }
      await store.posts.put([{ author, postId, ...mark }])
    }
    process.stdout.write(`${at?.partition} ${at?.offset} ${author} ${postId}\n`)
  }
}

await Promise.all(Array.from({ length: WRITERS }, (_, writer) => writeForever(writer + 1)))
