// The store of one incarnation of a cell: the ports' promises over a disk that outlives it, with every delay and rejection the
// ports allow. Bytes are copied both ways, as a real store would.

import { FILL_MONTH } from '../../cells/model/fill.ts'
import type {
  AuthorTable,
  CellStore,
  CheckpointTable,
  FollowerTable,
  InboxTable,
  NameTable,
  ReaderTable,
  WindowTable,
} from '../../cells/ports/cell-store.ts'
import type { PostBody, PostRow, PostTable } from '../../cells/ports/post-table.ts'
import type { CellProcess } from './cell-process.ts'
import { type Disk, postKeyOf, windowKeyOf } from './disk.ts'

export function storeOf(process: CellProcess, disk: Disk): CellStore {
  return {
    posts: postTable(process, disk),
    inbox: inboxTable(process, disk),
    readers: readerTable(process, disk),
    followers: followerTable(process, disk),
    authors: authorTable(process, disk),
    names: nameTable(process, disk),
    window: windowTable(process, disk),
    checkpoints: checkpointTable(process, disk),
  }
}

function postTable(process: CellProcess, disk: Disk): PostTable {
  return {
    put(rows) {
      const copies = rows.map(copyOfPost)
      disk.requireNames(
        'posts',
        rows.map(({ author }) => author),
      )
      return process.write(
        'posts.put',
        copies.map((row) => (late) => disk.landPost(row, late)),
      )
    },
    get: (keys) =>
      process.read('posts.get', () =>
        keys.map((key) => {
          const stored = disk.posts.get(postKeyOf(key))
          return stored === undefined ? undefined : copyOfPost(stored.row)
        }),
      ),
    idsBelow: (author, below, limit) =>
      process.read('posts.idsBelow', () => {
        const rows = [...disk.posts.values()]
          .map(({ row }) => row)
          .filter((row) => row.author === author && row.body !== undefined)
          .filter((row) => below === undefined || row.postId < below)
          .sort((a, b) => (a.postId > b.postId ? -1 : 1))
          .slice(0, limit)
        return {
          postIds: rows.map(({ postId }) => postId),
          reblogs: rows.map(({ body }) => body?.reblogOf !== undefined),
        }
      }),
    /** Those there are when it begins: each as it is when its turn comes. */
    allPosts() {
      const keys = [...disk.posts.keys()]
      const found = batches(process, 'posts.allPosts', () =>
        keys.flatMap((key, i): [number, PostRow][] => {
          const stored = disk.posts.get(key)
          return stored === undefined ? [] : [[i, copyOfPost(stored.row)]]
        }),
      )
      return postBatches(found, keys.length)
    },
    eraseAuthor: (author) => process.write('posts.eraseAuthor', [() => disk.eraseAuthor(author)]),
  }
}

function inboxTable(process: CellProcess, disk: Disk): InboxTable {
  return {
    putGeneration: (row) => process.write('inbox.putGeneration', [() => disk.landGeneration(row)]),
    generations: () =>
      process.read('inbox.generations', () =>
        [...disk.generations.values()].sort((a, b) => a.generation - b.generation),
      ),
    putChunks({ slot, term }, month, chunks) {
      const copies = chunks.map((chunk) => ({ ...copied(chunk), slot, term, month }))
      disk.requireNames(
        'inbox',
        chunks.map(({ reader }) => reader),
      )
      const lands = copies.map((chunk) => () => disk.landChunk(chunk))
      const op = month === FILL_MONTH ? 'inbox.fill' : 'inbox.putChunks'
      return process.write(op, lands, { slot })
    },
    chunksBelow: ({ slot, term }, month, reader, below, limit) =>
      process.read('inbox.chunksBelow', () => {
        const chunks = [...disk.chunks.values()]
          .filter((chunk) => chunk.slot === slot && chunk.term === term && chunk.month === month)
          .filter((chunk) => chunk.reader === reader && chunk.generation < below)
          .sort((a, b) => b.generation - a.generation || a.part - b.part)
        const last = chunks[limit - 1]?.generation ?? 0
        return chunks
          .filter((chunk) => chunk.generation >= last)
          .map(({ generation, part, bytes }) => copied({ reader, generation, part, bytes }))
      }),
    chunksOf: ({ slot, term }, month) =>
      batches(process, 'inbox.chunksOf', () =>
        [...disk.chunks.values()]
          .filter((chunk) => chunk.slot === slot && chunk.term === term && chunk.month === month)
          .map(({ reader, generation, part, bytes }, i) => [
            i,
            copied({ reader, generation, part, bytes }),
          ]),
      ),
    size: () =>
      process.read('inbox.size', () => ({
        chunks: disk.chunks.size,
        bytes: [...disk.chunks.values()].reduce((sum, { bytes }) => sum + bytes.length, 0),
      })),
  }
}

function readerTable(process: CellProcess, disk: Disk): ReaderTable {
  return {
    put(rows) {
      const copies = rows.map(copied)
      disk.requireNames(
        'readers',
        rows.map(({ reader }) => reader),
      )
      return process.write(
        'readers.put',
        copies.map((row) => () => disk.landReader(row)),
      )
    },
    get: ({ slot, term }, reader) =>
      process.read('readers.get', () => {
        const row = disk.readers.get(`${slot}/${term}/${reader}`)
        return row === undefined ? undefined : copied(row)
      }),
    ofSlot: ({ slot, term }) =>
      batches(process, 'readers.ofSlot', () =>
        [...disk.readers.values()]
          .filter((row) => row.slot === slot && row.term === term)
          .map((row) => [row.reader, copied(row)]),
      ),
    putReach(rows) {
      const copies = rows.map(copied)
      return process.write(
        'readers.putReach',
        copies.map((row) => () => disk.landReach(row)),
      )
    },
    reach: () => process.read('readers.reach', () => [...disk.reach.values()].map(copied)),
    dropTerm: ({ slot, term }) =>
      process.write('readers.dropTerm', [
        () => {
          for (const rows of [disk.readers, disk.chunks, disk.reach]) {
            for (const [key, row] of rows)
              if (row.slot === slot && row.term === term) rows.delete(key)
          }
        },
      ]),
  }
}

function followerTable(process: CellProcess, disk: Disk): FollowerTable {
  return {
    put(rows) {
      disk.requireNames(
        'followers',
        rows.map(({ author }) => author),
      )
      return process.write(
        'followers.put',
        rows.map((row) => () => disk.landFollower(row)),
      )
    },
    after: (author, after, limit) =>
      process.read('followers.after', () =>
        [...disk.followers.values()]
          .filter((row) => row.author === author && row.follows)
          .map(({ user }) => user)
          .filter((user) => after === undefined || user > after)
          .sort((a, b) => (a < b ? -1 : 1))
          .slice(0, limit),
      ),
  }
}

function authorTable(process: CellProcess, disk: Disk): AuthorTable {
  return {
    put(rows) {
      const copies = rows.map(copied)
      disk.requireNames(
        'authors',
        rows.map(({ author }) => author),
      )
      return process.write(
        'authors.put',
        copies.map((row) => () => disk.landAuthor(row)),
      )
    },
    all: () =>
      batches(process, 'authors.all', () =>
        [...disk.authors.values()].map((row) => [row.author, copied(row)]),
      ),
    putGreatest(blocks) {
      const copies = blocks.map(copied)
      return process.write(
        'authors.putGreatest',
        copies.map((row) => () => disk.landGreatest(row)),
      )
    },
    greatest: () =>
      batches(process, 'authors.greatest', () =>
        [...disk.greatest.values()].map((row) => [row.block, copied(row)]),
      ),
  }
}

function nameTable(process: CellProcess, disk: Disk): NameTable {
  return {
    reserve: (end) =>
      process.write('names.reserve', [() => (disk.reservedEnd = Math.max(disk.reservedEnd, end))]),
    reservedEnd: () => process.read('names.reservedEnd', () => disk.reservedEnd),
    put: (rows) =>
      process.write(
        'names.put',
        rows.map((row) => (late) => disk.landName(row, late)),
      ),
    all: () =>
      batches(process, 'names.all', () =>
        [...disk.names.values()].map(({ number, key }) => [number, { number, key }]),
      ),
    get: (numbers) =>
      process.read('names.get', () => numbers.map((number) => disk.names.get(number))),
  }
}

function windowTable(process: CellProcess, disk: Disk): WindowTable {
  return {
    put(blocks) {
      const copies = blocks.map(copied)
      return process.write(
        'window.put',
        copies.map((block) => () => disk.landWindow(block)),
      )
    },
    get: (names) =>
      process.read('window.get', () =>
        names.map((name) => {
          const block = disk.windows.get(windowKeyOf(name))
          return block === undefined ? undefined : copied(block)
        }),
      ),
    drop: (names) =>
      process.write(
        'window.drop',
        names.map((name) => () => disk.windows.delete(windowKeyOf(name))),
      ),
  }
}

function checkpointTable(process: CellProcess, disk: Disk): CheckpointTable {
  return {
    put(row) {
      const copy = copied(row)
      return process.write('checkpoints.put', [() => disk.landCheckpoint(copy)])
    },
    get: () =>
      process.read('checkpoints.get', () =>
        disk.checkpoint === undefined ? undefined : copied(disk.checkpoint),
      ),
    claim: (boot) =>
      process.write('checkpoints.claim', [() => (disk.claimedBy = Math.max(disk.claimedBy, boot))]),
    claimedBy: () => process.read('checkpoints.claimedBy', () => disk.claimedBy),
  }
}

/** Rows in key order, some at a time; what lands meanwhile behind the last one read is met too. */
function batches<Row>(
  process: CellProcess,
  op: string,
  look: () => (readonly [number, Row])[],
): AsyncIterable<readonly Row[]> {
  return {
    [Symbol.asyncIterator]() {
      let last = -1
      return {
        async next(): Promise<IteratorResult<readonly Row[]>> {
          const rows = await process.read(op, () =>
            look()
              .filter(([key]) => key > last)
              .sort(([a], [b]) => a - b)
              .slice(0, BATCH_ROWS),
          )
          last = rows.at(-1)?.[0] ?? last
          return rows.length === 0
            ? { done: true, value: undefined }
            : { done: false, value: rows.map(([, row]) => row) }
        },
      }
    },
  }
}

async function* postBatches(found: AsyncIterable<readonly PostRow[]>, keys: number) {
  let read = 0
  for await (const rows of found) {
    read += rows.length
    yield { rows, part: read / keys }
  }
}

const BATCH_ROWS = 3

function copied<Row extends { readonly bytes: Uint8Array }>(row: Row): Row {
  return { ...row, bytes: row.bytes.slice() }
}

function copyOfPost(row: PostRow): PostRow {
  if (row.body === undefined) return { ...row }
  const { head, content, followersOnly, reblogOf } = row.body
  const body: PostBody = { head: head.slice(), content: content.slice(), followersOnly, reblogOf }
  return { ...row, body }
}
