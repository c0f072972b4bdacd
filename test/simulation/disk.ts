// What one cell's store has durably: plain maps, changed only by rows that land (cell-process.ts), read by whichever
// incarnation of the cell lives. The rules of the ports are held here: the greater version stays, chunks are insert-only.

import type {
  AuthorRow,
  Chunk,
  FollowerRow,
  GenerationRow,
  GreatestBlock,
  NameRow,
  ReachRow,
  ReaderRow,
  Version,
  WindowBlock,
} from '../../cells/ports/cell-store.ts'
import { MARK_VERSION, type PostKey, type PostRow } from '../../cells/ports/post-table.ts'
import { Violation } from './violation.ts'

export type StoredChunk = Chunk & {
  readonly slot: number
  readonly term: number
  readonly month: number
}
/** `late`: landed after its call was rejected or its process dead. */
export type StoredPost = { readonly row: PostRow; readonly late: boolean }
type CheckpointRow = { readonly version: Version; readonly bytes: Uint8Array }

export class Disk {
  readonly posts = new Map<string, StoredPost>()
  readonly chunks = new Map<string, StoredChunk>()
  readonly generations = new Map<number, GenerationRow>()
  readonly readers = new Map<string, ReaderRow>()
  readonly reach = new Map<string, ReachRow>()
  readonly followers = new Map<string, FollowerRow>()
  readonly authors = new Map<number, AuthorRow>()
  readonly greatest = new Map<number, GreatestBlock>()
  readonly names = new Map<number, NameRow & { readonly late: boolean }>()
  readonly windows = new Map<string, WindowBlock>()
  reservedEnd = 0
  checkpoint: CheckpointRow | undefined
  claimedBy = 0
  readonly #report: (violation: Violation) => void

  constructor(report: (violation: Violation) => void) {
    this.#report = report
  }

  landPost(row: PostRow, late: boolean): void {
    const key = postKeyOf(row)
    const old = this.posts.get(key)
    if (old !== undefined && old.row.version > row.version) return
    this.posts.set(key, { row, late })
  }

  eraseAuthor(author: number): void {
    for (const [key, { row }] of this.posts) {
      if (row.author !== author || row.version === MARK_VERSION) continue
      const mark: PostRow = { ...row, version: MARK_VERSION, createdOffset: -1, body: undefined }
      this.posts.set(key, { row: mark, late: false })
    }
  }

  landChunk(chunk: StoredChunk): void {
    const { slot, term, reader, generation, part } = chunk
    const key = `${slot}/${term}/${reader}/${generation}/${part}`
    const old = this.chunks.get(key)
    if (old !== undefined && !(old.month === chunk.month && areEqual(old.bytes, chunk.bytes))) {
      this.#report(new Violation(`chunk ${key} was written again with other bytes`))
    }
    this.chunks.set(key, chunk)
  }

  landGeneration(row: GenerationRow): void {
    const old = this.generations.get(row.generation)
    if (old !== undefined && !(old.month === row.month && old.maxId === row.maxId)) {
      this.#report(
        new Violation(`generation ${row.generation} was used twice`, { got: row, want: old }),
      )
    }
    this.generations.set(row.generation, row)
  }

  landReader(row: ReaderRow): void {
    landNewest(this.readers, `${row.slot}/${row.term}/${row.reader}`, row)
  }

  landReach(row: ReachRow): void {
    landNewest(this.reach, `${row.slot}/${row.term}`, row)
  }

  landAuthor(row: AuthorRow): void {
    landNewest(this.authors, row.author, row)
  }

  landGreatest(row: GreatestBlock): void {
    landNewest(this.greatest, row.block, row)
  }

  landCheckpoint(row: CheckpointRow): void {
    if (this.checkpoint === undefined || !isNewer(this.checkpoint.version, row.version))
      this.checkpoint = row
  }

  landFollower(row: FollowerRow): void {
    const key = `${row.author}/${row.user}`
    const old = this.followers.get(key)
    if (old === undefined || old.version <= row.version) this.followers.set(key, row)
  }

  landName(row: NameRow, late: boolean): void {
    const old = this.names.get(row.number)
    if (old !== undefined && old.key !== row.key) {
      this.#report(new Violation(`name number ${row.number} was given to two users`))
    }
    this.names.set(row.number, { ...row, late })
  }

  landWindow(block: WindowBlock): void {
    const key = windowKeyOf(block.name)
    const old = this.windows.get(key)
    if (old !== undefined && !areEqual(old.bytes, block.bytes)) {
      this.#report(new Violation(`window block ${key} was written again with other bytes`))
    }
    this.windows.set(key, block)
  }

  /** A row that uses a number whose name is not durable yet could never be read after a crash. */
  requireNames(table: string, numbers: readonly number[]): void {
    const nameless = numbers.find((number) => !this.names.has(number))
    if (nameless === undefined) return
    this.#report(
      new Violation(`${table}: a row uses number ${nameless}, whose name is not durable`),
    )
  }
}

export function postKeyOf(key: PostKey): string {
  return `${key.author}/${key.postId}`
}

export function windowKeyOf(name: WindowBlock['name']): string {
  return `${name.boot}/${name.count}`
}

function isNewer(a: Version, b: Version): boolean {
  return a.boot > b.boot || (a.boot === b.boot && a.count > b.count)
}

function landNewest<Key, Row extends { readonly version: Version }>(
  rows: Map<Key, Row>,
  key: Key,
  row: Row,
): void {
  const old = rows.get(key)
  if (old === undefined || !isNewer(old.version, row.version)) rows.set(key, row)
}

function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}
