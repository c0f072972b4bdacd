// Compares a product's relations with what the cells hold, and puts right what differs, as of the time of the snapshot: what users
// changed since wins. Reads the file once; holds all of its blocks in memory, as the cell of whoever is blocked keeps them too.

import type { Cellfeed, CellStatus, ImportRecord } from '../../client/connect.ts'
import { type AddressFlags, withServer } from '../client-command.ts'
import { CommandFailure, exitCodes, usageFailure } from '../exit.ts'
import { parseTime } from '../human-time.ts'
import { type ImportFormat, openSource } from '../import/import-source.ts'
import { count, harmless } from '../print.ts'
import type { Terminal } from '../terminal.ts'
import { blockDifferences, differences } from './differences.ts'
import { type StatedUser, statedUsers } from './stated-user.ts'

export interface ReconcileFlags extends AddressFlags {
  readonly adminAddress?: string
  readonly format?: ImportFormat
  readonly asOf?: string
  readonly dryRun?: boolean
  readonly complete?: boolean
}

const USERS_AT_ONCE = 16
const BATCH_RECORDS = 500

export async function runReconcile(
  path: string,
  flags: ReconcileFlags,
  terminal: Terminal,
): Promise<void> {
  const source = await openSource(path, terminal.stdin)
  const asOf = snapshotTime(flags.asOf, terminal.nowMs())
  await withServer(terminal, flags, async (feed) => {
    const gaps = (await feed.cells()).filter(({ openGap }) => openGap.length > 0)
    checkLateEnough(gaps, asOf)
    const run = new Reconciliation(feed, { asOf, isDry: flags.dryRun === true })
    await run.readAll(statedUsers(source.lines(), flags.format))
    report(run, flags, terminal)
    if (run.badLines > 0) {
      throw new CommandFailure(
        `${count(run.badLines, 'bad line')} in ${source.name}; the first, line ${harmless(run.firstBadLine)}`,
        exitCodes.no,
      )
    }
    if (flags.complete !== true || flags.dryRun === true) return
    if (!run.saysBlocks) {
      throw usageFailure('--complete wants blocks and mutes too: give NDJSON, not an edge list')
    }
    for (const { cell } of gaps) {
      await feed.closeGap(cell)
      terminal.out(`${cell} serves again`)
    }
  })
}

function snapshotTime(given: string | undefined, nowMs: number): Date {
  const time = given === undefined ? undefined : parseTime(given, nowMs)
  if (time !== undefined) return time
  throw usageFailure(
    given === undefined
      ? 'say with --as-of when the data was taken: what users changed since then wins'
      : `--as-of "${given}" is no time: give for example 2026-03-01T00:00:00Z or 2h`,
  )
}

function checkLateEnough(gaps: readonly CellStatus[], asOf: Date): void {
  for (const { cell, openGap } of gaps) {
    const toMs = Math.max(...openGap.map(({ to }) => to?.getTime() ?? 0))
    if (asOf.getTime() >= toMs) continue
    throw usageFailure(
      `${cell} missed relations until ${new Date(toMs).toISOString()}: give data that was taken later`,
    )
  }
}

function report(run: Reconciliation, flags: ReconcileFlags, terminal: Terminal): void {
  const what = flags.dryRun === true ? 'would be put right' : 'put right'
  terminal.out(`${count(run.users, 'user')} compared, ${count(run.records, 'relation')} ${what}`)
  for (const [kind, number] of [...run.byKind].sort(([a], [b]) => (a < b ? -1 : 1))) {
    terminal.out(`  ${kind.padEnd(10)}${number.toLocaleString('en-US')}`)
  }
}

/** Counts what it does, and what it would do when it is dry. */
class Reconciliation {
  users = 0
  records = 0
  badLines = 0
  firstBadLine = ''
  saysBlocks = true
  readonly byKind = new Map<string, number>()
  readonly #feed: Cellfeed
  readonly #asOf: Date
  readonly #isDry: boolean
  #batch: ImportRecord[] = []
  readonly #stated = new Set<string>()
  readonly #blocks = new Set<string>()
  /** Who is said to block a user. */
  readonly #blockers = new Map<string, Set<string>>()

  constructor(feed: Cellfeed, options: { readonly asOf: Date; readonly isDry: boolean }) {
    this.#feed = feed
    this.#asOf = options.asOf
    this.#isDry = options.isDry
  }

  async readAll(users: ReturnType<typeof statedUsers>): Promise<void> {
    let waiting: StatedUser[] = []
    for await (const each of users) {
      if (each.kind === 'bad') {
        if (this.badLines++ === 0) this.firstBadLine = `${each.number}: ${each.reason}`
        continue
      }
      waiting.push(each.stated)
      if (waiting.length < USERS_AT_ONCE) continue
      await this.#compare(waiting)
      waiting = []
    }
    await this.#compare(waiting)
    if (this.saysBlocks) await this.#compareBlocks()
    await this.#send()
  }

  async #compare(users: readonly StatedUser[]): Promise<void> {
    const held = await Promise.all(users.map(({ user }) => this.#feed.relations(user)))
    for (const [i, stated] of users.entries()) {
      const relations = held[i]
      if (relations === undefined) continue
      this.users++
      this.#stated.add(stated.user)
      this.saysBlocks &&= stated.blocks !== undefined && stated.mutes !== undefined
      for (const target of stated.blocks ?? []) this.#noteBlock(stated.user, target)
      await this.#take(differences(stated, relations))
    }
  }

  #noteBlock(user: string, target: string): void {
    const blockers = this.#blockers.get(target)
    if (blockers === undefined) this.#blockers.set(target, new Set([user]))
    else blockers.add(user)
  }

  /** From the side of those who are blocked, when it is known of everybody whom they block. */
  async #compareBlocks(): Promise<void> {
    const users = [...this.#stated]
    for (let from = 0; from < users.length; from += USERS_AT_ONCE) {
      const some = users.slice(from, from + USERS_AT_ONCE)
      const held = await Promise.all(some.map((user) => this.#feed.relations(user)))
      for (const [i, user] of some.entries()) {
        const relations = held[i]
        if (relations === undefined) continue
        const blockers = this.#blockers.get(user) ?? new Set()
        const isStated = (other: string): boolean => this.#stated.has(other)
        await this.#take(blockDifferences(user, relations, { blockers, isStated }))
      }
    }
  }

  async #take(records: readonly ImportRecord[]): Promise<void> {
    for (const record of records) {
      const kind = Object.keys(record)[0] ?? ''
      if (this.#isTaken(record)) continue
      this.byKind.set(kind, (this.byKind.get(kind) ?? 0) + 1)
      this.records++
      this.#batch.push(record)
      if (this.#batch.length >= BATCH_RECORDS) await this.#send()
    }
  }

  /** Both sides of a block may lack it. */
  #isTaken(record: ImportRecord): boolean {
    if (!('block' in record || 'unblock' in record)) return false
    const name = JSON.stringify(record)
    if (this.#blocks.has(name)) return true
    this.#blocks.add(name)
    return false
  }

  async #send(): Promise<void> {
    const batch = this.#batch
    this.#batch = []
    if (batch.length === 0 || this.#isDry) return
    const { problems } = await this.#feed.importRecords(batch, { asOf: this.#asOf })
    const [first] = problems
    if (first === undefined) return
    throw new CommandFailure(
      `${count(problems.length, 'relation')} could not be put right; the first: ${harmless(first.message)}`,
      exitCodes.no,
    )
  }
}
