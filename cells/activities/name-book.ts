// Gives users their dense numbers. A number is taken from a range that was reserved durably, so no boot ever gives out a number
// that an earlier one may have used; and a name is durable before any row that uses its number: whoever writes rows calls
// `flush` first. Both count only when the claim on the store was confirmed after (claim.ts): a successor has read them then.

import { NamesTable } from '../model/names-table.ts'
import { runsOf } from '../model/placement.ts'
import type { NamesKept } from '../model/rows.ts'
import type { UserKey, UserRef } from '../model/user-key.ts'
import type { NameRow, NameTable } from '../ports/cell-store.ts'
import type { Claim } from './claim.ts'
import type { Persistence } from './persist.ts'

const RANGE = 4096

export class NameBook {
  readonly table = new NamesTable()
  readonly #store: NameTable
  readonly #persistence: Persistence
  readonly #claim: Claim
  readonly #makeRoom: (end: number) => void
  #next = 1
  /** Of the numbers that this process gives. */
  #start = 1
  #loaded: NamesKept['runs'] = []
  #reservedEnd = 1
  #pending: NameRow[] = []
  #flushing: Promise<void> = Promise.resolve()
  /** Names given whose rows are not durable yet. */
  readonly #notDurable = new Map<number, string>()

  constructor(options: {
    table: NameTable
    persistence: Persistence
    claim: Claim
    /** Told before numbers up to `end` are given out. */
    makeRoom: (end: number) => void
  }) {
    this.#store = options.table
    this.#persistence = options.persistence
    this.#claim = options.claim
    this.#makeRoom = options.makeRoom
  }

  /** `before`: what the checkpoint says of names. Of two that count for one user the later one may be in use. */
  async load(before?: NamesKept): Promise<void> {
    const unused: NameRow[] = []
    const numbers: number[] = []
    for await (const rows of this.#store.all()) {
      for (const { key, number } of rows) {
        if (!counts(number, before)) continue
        const other = this.table.lookup(key)
        this.table.add(key, number)
        numbers.push(number)
        if (other !== 0) unused.push({ number: Math.min(number, other), key, id: '' })
      }
    }
    this.#loaded = runsOf(numbers.sort((a, b) => a - b)).map(({ first, last }) => [first, last])
    // Given by a process that was superseded before it used them: the user may be erased by now.
    if (unused.length > 0) await this.#persistence.untilDurable(() => this.#store.put(unused))
    this.#next = Math.max(1, await this.#store.reservedEnd())
    this.#start = this.#next
    this.#reservedEnd = this.#next
    await this.reserve(RANGE)
  }

  /** For a checkpoint that is durable after the names given until now are. */
  get kept(): NamesKept {
    const own = this.#next > this.#start ? [[this.#start, this.#next - 1] as const] : []
    return { start: this.#start, runs: [...this.#loaded, ...own] }
  }

  /** Above every number given out. */
  get end(): number {
    return this.#reservedEnd
  }

  lookup(key: UserKey): number {
    return this.table.lookup(key)
  }

  hasRoomFor(names: number): boolean {
    return this.#next + names <= this.#reservedEnd
  }

  async reserve(names: number): Promise<void> {
    const end = this.#next + Math.max(names, RANGE)
    await this.#persistence.untilDurable(() => this.#store.reserve(end))
    await this.#claim.confirm()
    this.#makeRoom(end)
    this.#reservedEnd = Math.max(this.#reservedEnd, end)
  }

  /** The user's number, given now if there was none; `hasRoomFor` must hold. */
  numberOf(user: UserRef): number {
    const known = this.table.lookup(user.key)
    if (known !== 0) return known
    const number = this.#next++
    if (number >= this.#reservedEnd) throw new Error(`number ${number} was not reserved`)
    this.table.add(user.key, number)
    this.#pending.push({ number, key: user.key, id: user.id })
    this.#notDurable.set(number, user.id)
    return number
  }

  /** Resolves when every name given so far is durable. */
  flush(): Promise<void> {
    if (this.#pending.length === 0) return this.#flushing
    const rows = this.#pending
    this.#pending = []
    this.#flushing = this.#putAfter(this.#flushing, rows)
    return this.#flushing
  }

  async #putAfter(before: Promise<void>, rows: readonly NameRow[]): Promise<void> {
    await before
    await this.#persistence.untilDurable(() => this.#store.put(rows))
    await this.#claim.confirm()
    for (const { number } of rows) this.#notDurable.delete(number)
  }

  /** Takes the string away; key and number stay. */
  async forget(number: number, key: UserKey): Promise<void> {
    await this.flush()
    await this.#persistence.untilDurable(() => this.#store.put([{ number, key, id: '' }]))
  }

  /** Noted before the read, because a name may become durable just after it. */
  async idsOf(numbers: readonly number[]): Promise<string[]> {
    const noted = numbers.map((number) => this.#notDurable.get(number))
    const stored = await this.#store.get(numbers)
    return numbers.map((_, i) => noted[i] ?? stored[i]?.id ?? '')
  }
}

function counts(number: number, before: NamesKept | undefined): boolean {
  if (before === undefined || number >= before.start) return true
  return before.runs.some(([first, last]) => first <= number && number <= last)
}
