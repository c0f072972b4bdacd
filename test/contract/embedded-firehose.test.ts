// What the embedded firehose promises beside the contract of its port.

import { join } from 'node:path'
import { expect, test } from 'vitest'
import { zeroPosition } from '../../cells/model/position.ts'
import { FirehoseBusy } from '../../cells/ports/firehose.ts'
import { Environment } from '../../infra/embedded/environment.ts'
import { EmbeddedFirehose } from '../../infra/embedded/firehose.ts'
import { layOut } from '../../infra/embedded/log-partition.ts'
import { u48Key } from '../../infra/embedded/keys.ts'
import { manualClock } from './manual-clock.ts'
import { eventOf, newEventId, plain, postBy } from './sample-events.ts'
import { testFolders } from './test-folders.ts'

const { folder, closeLater } = testFolders()
const clock = manualClock()

test('a log opened again is the same log: identity, records, bounds', async () => {
  const path = await folder()
  const first = closeLater(await EmbeddedFirehose.open({ path, clock, partitionsPerTopic: 3 }))
  const events = Array.from({ length: 50 }, (_, i) => postBy(`user ${i}`, `${i}`))
  const appended = await first.append(events)
  const bounds = await first.bounds()
  await first.close()
  const again = closeLater(await EmbeddedFirehose.open({ path, clock, partitionsPerTopic: 8 }))
  expect(again.identity).toEqual(first.identity)
  expect(again.identity.partitionsPerTopic).toBe(3)
  expect(await again.bounds()).toEqual(bounds)
  for (const [i, { partition, offset }] of appended.entries()) {
    const { records } = await again.fetch(partition, offset, 1)
    expect(records.map(eventOf)).toEqual([plain(events[i])])
  }
})

test('a partition of a single record has it, also when opened again', async () => {
  const path = await folder()
  const first = closeLater(await EmbeddedFirehose.open({ path, clock }))
  const [only] = await first.append([postBy('anna')])
  await first.close()
  const again = closeLater(await EmbeddedFirehose.open({ path, clock }))
  const { end } = await again.bounds()
  expect(end[only?.partition ?? -1]).toBe(1)
  const [next] = await again.append([postBy('anna')])
  expect(next?.offset).toBe(1)
})

test('two logs have two identities', async () => {
  const one = closeLater(await EmbeddedFirehose.open({ path: await folder(), clock }))
  const two = closeLater(await EmbeddedFirehose.open({ path: await folder(), clock }))
  expect(one.identity.logId).not.toBe(two.identity.logId)
})

test('a log that retention emptied goes on at its old end, also when opened again', async () => {
  const path = await folder()
  const first = closeLater(await EmbeddedFirehose.open({ path, clock }))
  const posts = Array.from({ length: 5_000 }, () => postBy('anna'))
  const appended = await first.append(posts)
  const partition = appended[0]?.partition ?? -1
  await first.dropBefore(clock.nowMs())
  await first.close()
  const again = closeLater(await EmbeddedFirehose.open({ path, clock }))
  const { start, end } = await again.bounds()
  expect([start[partition], end[partition]]).toEqual([5_000, 5_000])
  const [next] = await again.append([postBy('anna')])
  expect(next?.offset).toBe(5_000)
})

test('offsets by time hold when the clock steps back', async () => {
  const stepping = manualClock()
  const options = { path: await folder(), clock: stepping }
  const firehose = closeLater(await EmbeddedFirehose.open(options))
  const times = [100, 200, 150, 120, 300, 110, 250, 400]
  for (const time of times) {
    stepping.set(time)
    await firehose.append([postBy('anna')])
  }
  const [{ partition } = { partition: 0 }] = await firehose.append([postBy('anna')])
  for (const time of [0, 100, 101, 150, 200, 201, 300, 301, 400]) {
    const offsets = await firehose.offsetsAt(time)
    expect(offsets[partition]).toBe(times.findIndex((at) => at >= time))
  }
})

test('beyond the bound appends are refused whole, and what was accepted is there', async () => {
  const options = { path: await folder(), clock, inFlightBytesMax: 10_000 }
  const firehose = closeLater(await EmbeddedFirehose.open(options))
  const attempts = Array.from({ length: 50 }, (_, i) => ({ text: `${i}`.padEnd(1_000) }))
  const outcomes = await Promise.allSettled(
    attempts.map(({ text }) => firehose.append([postBy('anna', text)])),
  )
  const accepted = attempts.filter((_, i) => outcomes[i]?.status === 'fulfilled')
  const refused = outcomes.flatMap((o) => (o.status === 'rejected' ? [o.reason as unknown] : []))
  expect(accepted.length).toBeGreaterThan(0)
  expect(refused.length).toBeGreaterThan(0)
  for (const reason of refused) expect(reason).toBeInstanceOf(FirehoseBusy)
  const end = (await firehose.bounds()).end.reduce((sum, offset) => sum + offset, 0)
  expect(end).toBe(accepted.length)
  expect(await firehose.append([postBy('anna', 'x'.repeat(50_000))])).toHaveLength(1)
})

test('a record that cannot be read is told as such, and the log goes on', async () => {
  const path = await folder()
  const first = closeLater(await EmbeddedFirehose.open({ path, clock }))
  const [{ partition } = { partition: -1 }] = await first.append([postBy('anna', 'before')])
  await first.close()
  const raw = closeLater(await Environment.open({ path, holds: 'firehose', format: 1 }))
  const table = raw.table(`partition ${partition}`)
  const garbage = layOut(Uint8Array.of(255, 255, 255))
  await raw.commit(0, () => table.append(u48Key(1), garbage.fill(0, 0, 16)))
  await raw.close()
  const again = closeLater(await EmbeddedFirehose.open({ path, clock }))
  await again.append([postBy('anna', 'after')])
  const stop = new AbortController()
  const kinds: string[] = []
  for await (const batch of again.follow(zeroPosition(16), {
    signal: stop.signal,
    recordsMax: 9,
  })) {
    kinds.push(...batch.records.map(({ event }) => event.fact.kind))
    stop.abort()
  }
  expect(kinds).toEqual(['post-created', 'unreadable', 'post-created'])
})

test('a closed firehose refuses, and its followers get an error', async () => {
  const path = join(await folder(), 'firehose')
  const firehose = closeLater(await EmbeddedFirehose.open({ path, clock }))
  const { signal } = new AbortController()
  const following = firehose.follow(zeroPosition(16), { signal, recordsMax: 9 })
  const next = Promise.allSettled([following[Symbol.asyncIterator]().next()])
  await firehose.close()
  const message = 'the firehose is closed'
  expect(await next).toMatchObject([{ status: 'rejected', reason: { message } }])
  const late = { id: newEventId(), fact: postBy('anna').fact }
  await expect(firehose.append([late])).rejects.toThrow('closed')
})
