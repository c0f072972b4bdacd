// Merging sorted runs into one, a slice in each commit. Keys are read ahead, values when they are copied, so that an entry
// that is replaced before its turn is copied as it is then, and one replaced after it is replaced in the target too.

import type { PostKey } from '../../cells/ports/post-table.ts'
import { u32Key } from './keys.ts'
import { entryKey, idOf, keyInRun, type Run } from './sorted-run.ts'

const ENTRIES_PER_SLICE = 1_000
const KEYS_READ_AHEAD = 500

export class RunMerge {
  readonly #sources: readonly Source[]
  readonly #target: Run
  /** The newest key copied, as a key of run 0. */
  #place: Buffer = Buffer.alloc(0)
  #isDone = false

  constructor(sources: readonly Run[], target: Run) {
    this.#sources = sources.map((run) => new Source(run))
    this.#target = target
  }

  get isDone(): boolean {
    return this.#isDone
  }

  /** In a commit: copies the next entries. */
  copySlice(): void {
    const { table, number } = this.#target
    for (let copied = 0; copied < ENTRIES_PER_SLICE; copied++) {
      const source = this.#leastSource()
      const key = source?.head
      if (source === undefined || key === undefined) {
        this.#isDone = true
        return
      }
      const value = source.run.table.latest(keyInRun(source.run.number, key))
      if (value === undefined) throw new Error('an entry left its run')
      table.append(keyInRun(number, key), value)
      this.#place = key
      this.#count(key)
      source.advance()
    }
  }

  /** In a commit: `key` of `run` was replaced. */
  replace(run: Run, { author, postId }: PostKey, value: Buffer): void {
    if (!this.#sources.some((source) => source.run === run)) return
    if (entryKey(0, author, postId).compare(this.#place) > 0) return
    this.#target.table.put(entryKey(this.#target.number, author, postId), value)
  }

  #leastSource(): Source | undefined {
    let least: Source | undefined
    for (const source of this.#sources) {
      if (source.head === undefined) continue
      if (least?.head === undefined || source.head.compare(least.head) < 0) least = source
    }
    return least
  }

  #count(key: Buffer): void {
    const target = this.#target
    const id = idOf(key)
    target.entries++
    if (id < target.minId) target.minId = id
    if (id > target.maxId) target.maxId = id
  }
}

/** The keys of a run in order, as keys of run 0. No entry is added to it or removed from it meanwhile. */
class Source {
  readonly run: Run
  #keys: Buffer[] = []
  #at = 0

  constructor(run: Run) {
    this.run = run
    this.#read(u32Key(run.number))
  }

  get head(): Buffer | undefined {
    return this.#keys[this.#at]
  }

  advance(): void {
    const last = this.head
    this.#at++
    if (this.#at < this.#keys.length || last === undefined) return
    this.#read(Buffer.concat([keyInRun(this.run.number, last), Buffer.of(0)]))
  }

  #read(start: Buffer): void {
    const range = { start, end: u32Key(this.run.number + 1), limit: KEYS_READ_AHEAD }
    this.#keys = Array.from(this.run.table.range(range), ({ key }) => keyInRun(0, key))
    this.#at = 0
  }
}
