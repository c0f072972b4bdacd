// Group commit: writes of many callers go into one LMDB transaction, and each caller is told when it is committed.
//
//     submit ──> waiting ──(none in flight)──> run every `write` at once ──> one transaction, fsync ──> resolve all
//
// There is one commit in flight at a time, so a `write` that reads sees everything committed before, and nothing of a failed
// commit: it may read, decide, and put. While one commit syncs, the next group gathers: the slower the disk, the larger the
// groups. A commit happens whole or not at all; when it fails, all its callers are rejected with CommitFailed.

import { setImmediate } from 'node:timers/promises'

export type GroupCommitOptions = {
  readonly groupBytesMax: number
  /** Runs the writes at once, within one transaction; resolves when it is committed. */
  readonly transact: (writes: () => void) => Promise<boolean>
  /** Called after each commit, just before its callers are told. */
  readonly ended: (isCommitted: boolean) => void
}

/** The store could not commit: nothing of the group was written. The cause says why (disk full, I/O error). */
export class CommitFailed extends Error {
  readonly code = 'COMMIT_FAILED'
  override readonly name = 'CommitFailed'
}

type Waiting = {
  readonly bytes: number
  /** Runs the caller's write; answers how to tell the caller that it is committed. */
  readonly run: () => () => void
  readonly reject: (error: unknown) => void
}

export class GroupCommit {
  readonly #groupBytesMax: number
  readonly #transact: GroupCommitOptions['transact']
  readonly #ended: (isCommitted: boolean) => void
  #waiting: Waiting[] = []
  #appends: Promise<boolean>[] = []
  #running: Promise<void> | undefined

  constructor(options: GroupCommitOptions) {
    this.#groupBytesMax = options.groupBytesMax
    this.#transact = options.transact
    this.#ended = options.ended
  }

  /** Runs `write` in a coming commit and resolves with its result once that is durable. `bytes` is about what it writes. */
  submit<T>(bytes: number, write: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const run = () => {
        const result = write()
        return () => resolve(result)
      }
      this.#waiting.push({ bytes, run, reject })
      this.#running ??= this.#runAll()
    })
  }

  /** To be called by a `write` for each row it appends: one that was not the last of its table answers false. */
  track(append: Promise<boolean>): void {
    this.#appends.push(append)
  }

  /** Resolves when nothing waits and nothing is in flight. */
  async idle(): Promise<void> {
    await this.#running
  }

  async #runAll(): Promise<void> {
    // The other callers of this turn of the event loop join the first group.
    await setImmediate()
    while (this.#waiting.length > 0) await this.#commit(this.#takeGroup())
    this.#running = undefined
  }

  /** From the front, up to the byte bound, one at least. */
  #takeGroup(): Waiting[] {
    let bytes = 0
    let count = 0
    for (const { bytes: more } of this.#waiting) {
      if (count > 0 && bytes + more > this.#groupBytesMax) break
      bytes += more
      count++
    }
    return this.#waiting.splice(0, count)
  }

  async #commit(group: readonly Waiting[]): Promise<void> {
    this.#appends = []
    const written: { resolve: () => void; reject: (error: unknown) => void }[] = []
    const committed = this.#transact(() => {
      for (const { run, reject } of group) {
        try {
          written.push({ resolve: run(), reject })
        } catch (error) {
          reject(error)
        }
      }
    })
    const failure = await failureOf([committed, ...this.#appends])
    this.#ended(failure === undefined)
    for (const { resolve, reject } of written) {
      if (failure === undefined) resolve()
      else reject(failure)
    }
  }
}

async function failureOf(writes: readonly Promise<boolean>[]): Promise<CommitFailed | undefined> {
  try {
    const wrote = await Promise.all(writes)
    if (wrote.every(Boolean)) return undefined
    return new CommitFailed('a row that was to be the last of its table was not')
  } catch (error) {
    return new CommitFailed('the store could not commit', { cause: await causeOf(error) })
  }
}

/** lmdb tells why in a second promise, which rejects, or is never settled. */
async function causeOf(failure: unknown): Promise<unknown> {
  if (typeof failure !== 'object' || failure === null || !('commitError' in failure)) return failure
  try {
    return await Promise.race([failure.commitError, setImmediate(failure)])
  } catch (cause) {
    return cause
  }
}
