// A body cache that outlives the cells that use it and keeps the least that its port promises: it loses what it likes, answers
// late, fails; but what was set before a remove or a renewal was asked for never comes back once that resolved.

import type { BodyCache } from '../../cells/ports/body-cache.ts'
import type { PostKey } from '../../cells/ports/post-table.ts'
import type { CellProcess } from './cell-process.ts'
import { postKeyOf } from './disk.ts'
import type { Dice } from './random.ts'

type Entry = { readonly value: Uint8Array; readonly turn: number }

/** The content of a cell's cache: of each incarnation apart, as the older one may go on. */
export class CacheContent {
  readonly #epochs = new Map<number, CacheEpoch>()

  of(boot: number): CacheEpoch {
    const epoch = this.#epochs.get(boot) ?? new CacheEpoch()
    this.#epochs.set(boot, epoch)
    return epoch
  }

  lose(dice: Dice): void {
    for (const epoch of this.#epochs.values()) epoch.lose(dice)
  }
}

class CacheEpoch {
  readonly #entries = new Map<string, Entry>()
  readonly #removedAt = new Map<string, number>()
  #renewedAt = 0
  #turn = 0

  /** Orders calls as they were made. */
  nextTurn(): number {
    return ++this.#turn
  }

  get(key: string): Uint8Array | undefined {
    return this.#entries.get(key)?.value.slice()
  }

  set(key: string, entry: Entry): void {
    if (entry.turn < this.#renewedAt || entry.turn < (this.#removedAt.get(key) ?? 0)) return
    if (entry.turn < (this.#entries.get(key)?.turn ?? 0)) return
    this.#entries.set(key, entry)
  }

  remove(key: string, turn: number): void {
    this.#removedAt.set(key, Math.max(turn, this.#removedAt.get(key) ?? 0))
    const entry = this.#entries.get(key)
    if (entry !== undefined && entry.turn < turn) this.#entries.delete(key)
  }

  renew(turn: number): void {
    this.#renewedAt = Math.max(turn, this.#renewedAt)
    for (const [key, entry] of this.#entries) if (entry.turn < turn) this.#entries.delete(key)
  }

  lose(dice: Dice): void {
    for (const key of this.#entries.keys()) if (dice.chance(0.5)) this.#entries.delete(key)
  }
}

export function cacheOf(process: CellProcess, cache: CacheContent): BodyCache {
  const content = cache.of(process.boot)
  const never = (): boolean => false
  const rejects = (): boolean => process.weather.rejectsCache()
  /** Rejected before or after it was done, by dice of the cache's own. */
  const change = (op: string, run: () => void): Promise<void> => {
    const isDoneThough = rejects()
    return process
      .read(op, () => undefined, rejects)
      .then(
        () => run(),
        (error: unknown) => {
          if (isDoneThough) run()
          throw error
        },
      )
  }
  return {
    getMany: (keys) =>
      process.read('cache.getMany', () => keys.map((key) => content.get(postKeyOf(key))), never),
    async setMany(entries) {
      const turn = content.nextTurn()
      const copies = entries.map(({ key, value }) => [postKeyOf(key), value.slice()] as const)
      await process.write(
        'cache.setMany',
        copies.map(
          ([key, value]) =>
            () =>
              content.set(key, { value, turn }),
        ),
      )
    },
    remove(keys: readonly PostKey[]) {
      const turn = content.nextTurn()
      return change('cache.remove', () => {
        for (const key of keys) content.remove(postKeyOf(key), turn)
      })
    },
    renew() {
      const turn = content.nextTurn()
      return change('cache.renew', () => content.renew(turn))
    },
  }
}
