// How fast the embedded stores are, and for how long: appends to the firehose, posts written for a minute (against a table
// keyed by author and id, in the same run), chunks, readers.
//
//     node --import tsx test/bench/embedded-store.ts [firehose chunks readers posts posts-by-author] [--seconds 60]

import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { IdAllocator } from '../../cells/model/id-allocator.ts'
import type { EventId, PostId } from '../../cells/model/post-id.ts'
import { userRef } from '../../cells/model/user-key.ts'
import type { ProducedEvent } from '../../cells/ports/firehose.ts'
import type { PostRow } from '../../cells/ports/post-table.ts'
import { EmbeddedCellStore } from '../../infra/embedded/cell-store.ts'
import { Environment, type FsyncMode } from '../../infra/embedded/environment.ts'
import { EmbeddedFirehose } from '../../infra/embedded/firehose.ts'
import { bufferOf } from '../../infra/embedded/keys.ts'

const AUTHORS = 1_000_000
const ROW_BYTES = 1_024
const clock = { nowMs: () => Date.now() }
const ids = new IdAllocator(1)
const cumulative = zipf(AUTHORS)
const content = new Uint8Array(ROW_BYTES - 64).fill(120)
const head = new Uint8Array(64).fill(104)

function zipf(count: number): Float64Array {
  const sums = new Float64Array(count)
  let sum = 0
  for (let rank = 0; rank < count; rank++) sums[rank] = sum += 1 / (rank + 1)
  return sums
}

/** Numbers are spread over ranks, as a cell numbers authors in the order it meets them. */
function someAuthor(): number {
  const at = Math.random() * (cumulative.at(-1) ?? 0)
  let low = 0
  let high = AUTHORS - 1
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((cumulative[middle] ?? 0) < at) low = middle + 1
    else high = middle
  }
  return 1 + ((low * 7_919) % AUTHORS)
}

function somePost(version: number): PostRow {
  const body = { head, content, followersOnly: false, reblogOf: undefined }
  const postId = ids.allocate(Date.now()) as PostId
  return { author: someAuthor(), postId, version, createdOffset: version, body }
}

function someEvent(): ProducedEvent {
  const author = userRef(`user ${someAuthor()}`)
  const postId = ids.allocate(Date.now()) as PostId
  const named = { kind: 'post-created' as const, author, postId, head, content }
  const fact = { ...named, reblogOf: undefined, audience: 'public' as const }
  return { id: ids.allocate(Date.now()) as EventId, fact }
}

/** Runs `work` in so many loops at once until the time is over; `tell` gets units done in each ten seconds. */
async function rate(options: {
  readonly seconds: number
  readonly loops: number
  readonly work: () => Promise<number>
  readonly tell?: (perSecond: number) => void
}): Promise<{ perSecond: number; p50Ms: number; p99Ms: number }> {
  const started = performance.now()
  const times: number[] = []
  let done = 0
  let told = { at: started, done: 0 }
  const loop = async () => {
    while (performance.now() - started < options.seconds * 1_000) {
      const before = performance.now()
      const units = await options.work()
      done += units
      const now = performance.now()
      times.push(now - before)
      if (now - told.at < 10_000) continue
      options.tell?.(Math.round(((done - told.done) * 1_000) / (now - told.at)))
      told = { at: now, done }
    }
  }
  await Promise.all(Array.from({ length: options.loops }, loop))
  times.sort((a, b) => a - b)
  const percentile = (part: number) =>
    Number((times[Math.floor(times.length * part)] ?? 0).toFixed(2))
  const perSecond = Math.round((done * 1_000) / (performance.now() - started))
  return { perSecond, p50Ms: percentile(0.5), p99Ms: percentile(0.99) }
}

async function inFolder(bench: (path: string) => Promise<void>): Promise<void> {
  const path = await mkdtemp(join(tmpdir(), 'cellfeed-bench-'))
  try {
    await bench(path)
  } finally {
    await rm(path, { recursive: true, force: true })
  }
}

async function benchFirehose(): Promise<void> {
  for (const fsync of ['always', 'never'] as const satisfies FsyncMode[]) {
    for (const loops of [1, 16, 256]) {
      await inFolder(async (path) => {
        const firehose = await EmbeddedFirehose.open({ path, clock, fsync })
        const work = async () => (await firehose.append([someEvent()])).length
        const { perSecond, p50Ms, p99Ms } = await rate({ seconds: 4, loops, work })
        const at = `fsync ${fsync}, ${loops} appenders`
        report(`firehose 1 KB, ${at}`, `${perSecond}/s, p50 ${p50Ms} ms, p99 ${p99Ms} ms`)
        if (loops === 256) report(`firehose read, ${at}`, `${await readAll(firehose)}/s`)
        await firehose.close()
      })
    }
  }
}

async function readAll(firehose: EmbeddedFirehose): Promise<number> {
  const { end } = await firehose.bounds()
  const started = performance.now()
  let read = 0
  for (const [partition, last] of end.entries()) {
    for (let next = 0; next < last; ) {
      const batch = await firehose.fetch(partition, next, 1_000)
      read += batch.records.length
      next = batch.nextOffset
    }
  }
  return Math.round((read * 1_000) / (performance.now() - started))
}

const ROWS_PER_PUT = 500

async function benchPosts(seconds: number): Promise<void> {
  let version = 0
  const rows = () => Array.from({ length: ROWS_PER_PUT }, () => somePost(version++))
  await inFolder(async (path) => {
    const store = await EmbeddedCellStore.open({ path })
    const work = async () => {
      await store.posts.put(rows())
      return ROWS_PER_PUT
    }
    await sustained('posts in order of arrival, index in runs', seconds, work)
    const keys = Array.from({ length: 200 }, someAuthor)
    const started = performance.now()
    let found = 0
    for (const author of keys) {
      const { postIds } = await store.posts.idsBelow(author, undefined, 20)
      found += (await store.posts.get(postIds.map((postId) => ({ author, postId })))).length
    }
    const perPage = ((performance.now() - started) * 1_000) / keys.length
    report('newest 20 of an author, bodies too', `${perPage.toFixed(0)} us (${found} posts)`)
    await store.close()
  })
}

async function benchPostsByAuthor(seconds: number): Promise<void> {
  let version = 0
  const rows = () => Array.from({ length: ROWS_PER_PUT }, () => somePost(version++))
  await inFolder(async (path) => {
    const environment = await Environment.open({ path, holds: 'bench', format: 1 })
    const table = environment.table('posts by author and id')
    const work = async () => {
      const posts = rows()
      await environment.commit(ROWS_PER_PUT * ROW_BYTES, () => {
        for (const { author, postId } of posts) {
          const key = Buffer.allocUnsafe(12)
          key.writeUInt32BE(author, 0)
          key.writeBigUInt64BE(BigInt.asUintN(64, ~postId), 4)
          table.put(key, bufferOf(new Uint8Array(ROW_BYTES).fill(120)))
        }
      })
      return ROWS_PER_PUT
    }
    await sustained('posts keyed by (author, id)', seconds, work)
    await environment.close()
  })
}

/** What the disk of temporary files wrote since the machine started, whoever asked for it; Linux only. */
async function diskWrites(): Promise<{ writes: number; bytes: number }> {
  const { dev } = await stat(tmpdir())
  const table = await readFile('/proc/diskstats', 'utf8').catch(() => '')
  for (const line of table.split('\n')) {
    const [major, minor, , , , , , writes, , sectors] = line.trim().split(/\s+/).map(Number)
    if (major === dev >> 8 && minor === (dev & 255)) {
      return { writes: writes ?? 0, bytes: (sectors ?? 0) * 512 }
    }
  }
  return { writes: 0, bytes: 0 }
}

async function sustained(what: string, seconds: number, work: () => Promise<number>) {
  const each: number[] = []
  const cpuEach: string[] = []
  let spent = process.cpuUsage()
  const tell = (perSecond: number) => {
    const { user, system } = process.cpuUsage(spent)
    spent = process.cpuUsage()
    each.push(perSecond)
    cpuEach.push(((user + system) / (perSecond * 10)).toFixed(0))
  }
  const before = await diskWrites()
  const { perSecond, p99Ms } = await rate({ seconds, loops: 2, work, tell })
  const after = await diskWrites()
  const perRow = (count: number) => count / (perSecond * seconds)
  report(what, `${perSecond}/s over ${seconds} s, p99 of ${ROWS_PER_PUT} ${p99Ms} ms`)
  report('  rows/s in each 10 s', each.join(' '))
  report('  CPU us a row, all threads', cpuEach.join(' '))
  const writes = perRow(after.writes - before.writes).toFixed(2)
  const bytes = perRow(after.bytes - before.bytes).toFixed(0)
  report('  the disk wrote, a row', `${writes} writes, ${bytes} bytes`)
}

const SLOTS = 64
const READERS_PER_SLOT = 1_500

async function benchChunks(): Promise<void> {
  await inFolder(async (path) => {
    const store = await EmbeddedCellStore.open({ path })
    const bytes = new Uint8Array(700).fill(5)
    for (let generation = 1; generation <= 4; generation++) {
      const started = performance.now()
      await inParallel(SLOTS, 4, (slot) => {
        const chunk = (_: unknown, i: number) => ({
          reader: slot * READERS_PER_SLOT + i,
          generation,
          part: 0,
          bytes,
        })
        const chunks = Array.from({ length: READERS_PER_SLOT }, chunk)
        return store.inbox.putChunks({ slot, term: 1 }, 300, chunks)
      })
      report(
        `chunks of 700 B, generation ${generation}`,
        perSecondSince(started, SLOTS * READERS_PER_SLOT),
      )
    }
    const started = performance.now()
    for (let i = 0; i < 20_000; i++) {
      const slot = Math.floor(Math.random() * SLOTS)
      const reader = slot * READERS_PER_SLOT + Math.floor(Math.random() * READERS_PER_SLOT)
      await store.inbox.chunksBelow({ slot, term: 1 }, 300, reader, 5, 4)
    }
    report('a reader’s newest 4 chunks', perSecondSince(started, 20_000))
    await store.close()
  })
}

async function benchReaders(): Promise<void> {
  await inFolder(async (path) => {
    const store = await EmbeddedCellStore.open({ path })
    const bytes = new Uint8Array(2_500).fill(5)
    for (const boot of [1, 2]) {
      const started = performance.now()
      await inParallel(SLOTS, 4, (slot) =>
        store.readers.put(
          Array.from({ length: READERS_PER_SLOT }, (_, i) => ({
            slot,
            term: 1,
            reader: slot * READERS_PER_SLOT + i,
            version: { boot, count: i },
            bytes,
          })),
        ),
      )
      const what = boot === 1 ? 'new' : 'changed'
      report(`reader rows of 2.5 KB, ${what}`, perSecondSince(started, SLOTS * READERS_PER_SLOT))
    }
    const started = performance.now()
    let loaded = 0
    for (let slot = 0; slot < SLOTS; slot++) {
      for await (const rows of store.readers.ofSlot({ slot, term: 1 })) loaded += rows.length
    }
    report('reader rows loaded by slot', perSecondSince(started, loaded))
    await store.close()
  })
}

async function inParallel(count: number, loops: number, work: (n: number) => Promise<void>) {
  let next = 0
  const loop = async () => {
    while (next < count) await work(next++)
  }
  await Promise.all(Array.from({ length: loops }, loop))
}

function perSecondSince(started: number, rows: number): string {
  return `${Math.round((rows * 1_000) / (performance.now() - started))}/s`
}

function report(what: string, figure: string): void {
  process.stdout.write(`${what.padEnd(46)} ${figure}\n`)
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string', default: '60' } },
})
const wants = (name: string) => positionals.length === 0 || positionals.includes(name)
const [cpu] = cpus()
const memoryGb = Math.round(totalmem() / 2 ** 30)
report('command', `test/bench/embedded-store.ts ${process.argv.slice(2).join(' ')}`)
report('machine', `${cpus().length} x ${cpu?.model}, ${memoryGb} GB, Node ${process.version}`)
if (wants('firehose')) await benchFirehose()
if (wants('chunks')) await benchChunks()
if (wants('readers')) await benchReaders()
if (wants('posts')) await benchPosts(Number(values.seconds))
if (wants('posts-by-author')) await benchPostsByAuthor(Number(values.seconds))
