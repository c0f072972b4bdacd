// What every firehose promises. `open` makes a new, empty log for each test.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { routeOf } from '../../cells/model/event.ts'
import { type Position, topicOf, zeroPosition } from '../../cells/model/position.ts'
import {
  type Appended,
  type Firehose,
  FirehoseGap,
  type LogRecord,
} from '../../cells/ports/firehose.ts'
import { eventOf, oneOfEachKind, plain, postBy, produced } from './sample-events.ts'

export type OpenFirehose = {
  readonly firehose: Firehose
  /** Retention: drops what stands before this record in its partition, and nothing after it. */
  readonly dropBefore: (record: Appended) => Promise<void>
  readonly close: () => Promise<void>
}

export function describeFirehoseContract(name: string, open: () => Promise<OpenFirehose>): void {
  describe(`firehose contract: ${name}`, () => {
    let log: OpenFirehose
    let firehose: Firehose
    const stop = new Set<AbortController>()

    beforeEach(async () => {
      log = await open()
      firehose = log.firehose
    })
    afterEach(async () => {
      for (const controller of stop) controller.abort()
      stop.clear()
      await log.close()
    })

    const follow = (from: Position, topic?: 'public') => {
      const controller = new AbortController()
      stop.add(controller)
      const options = { signal: controller.signal, recordsMax: 3, ...(topic && { topic }) }
      const batches = firehose.follow(from, options)[Symbol.asyncIterator]()
      return { batches, controller }
    }

    test('an empty log starts and ends at zero', async () => {
      const zero = zeroPosition(2 * firehose.identity.partitionsPerTopic)
      expect(await firehose.bounds()).toEqual({ start: zero, end: zero })
      expect(await firehose.offsetsAt(0)).toEqual(zero)
      expect(await firehose.append([])).toEqual([])
    })

    test('every kind of event is read back as it was written', async () => {
      const events = oneOfEachKind()
      const appended = await firehose.append(events)
      for (const [i, { partition, offset, appendedAtMs }] of appended.entries()) {
        const { records, nextOffset } = await firehose.fetch(partition, offset, 1)
        expect(nextOffset).toBe(offset + 1)
        expect(records.map(eventOf)).toEqual([plain(events[i])])
        expect(records[0]).toMatchObject({ offset, appendedAtMs })
      }
    })

    test('events about one user share a partition of their topic, in the order given', async () => {
      const events = [...oneOfEachKind(), ...oneOfEachKind()]
      const appended = await firehose.append(events)
      const perTopic = firehose.identity.partitionsPerTopic
      const partitions = new Map<string, number>()
      const newest = new Map<number, number>()
      for (const [i, event] of events.entries()) {
        const { topic, key } = routeOf(event.fact)
        const { partition, offset } = appended[i] ?? { partition: -1, offset: -1 }
        expect(topicOf(partition, perTopic)).toBe(topic)
        expect(partitions.get(`${topic} ${key.id}`) ?? partition).toBe(partition)
        partitions.set(`${topic} ${key.id}`, partition)
        expect(offset).toBeGreaterThan(newest.get(partition) ?? -1)
        newest.set(partition, offset)
      }
    })

    test('many appenders at once: each record once, each one’s own order kept', async () => {
      const texts = (appender: number) => [0, 1, 2].map((i) => `${appender} ${i}`)
      const authors = Array.from({ length: 100 }, (_, appender) => appender)
      const appended = await Promise.all(
        authors.map((appender) =>
          firehose.append(texts(appender).map((text) => postBy(`author ${appender}`, text))),
        ),
      )
      const read = (await readAll(firehose)).flat()
      const readTexts = read.map(textOf)
      expect(read).toHaveLength(300)
      expect(new Set(readTexts)).toEqual(new Set(authors.flatMap(texts)))
      for (const appender of authors) {
        const own = readTexts.filter((text) => text.startsWith(`${appender} `))
        expect(own).toEqual(texts(appender))
      }
      expect(new Set(appended.flat().map((a) => `${a.partition} ${a.offset}`)).size).toBe(300)
    })

    test('a partition is read in pieces, and is empty at its end', async () => {
      const appended = await firehose.append([1, 2, 3, 4, 5].map((i) => postBy('anna', `${i}`)))
      const partition = appended[0]?.partition ?? -1
      const texts: string[] = []
      let next = 0
      for (let piece = 0; piece < 3; piece++) {
        const batch = await firehose.fetch(partition, next, 2)
        expect(batch.records.length).toBeLessThanOrEqual(2)
        texts.push(...batch.records.map(textOf))
        next = batch.nextOffset
      }
      expect(texts).toEqual(['1', '2', '3', '4', '5'])
      const end = (await firehose.bounds()).end[partition] ?? -1
      expect(next).toBe(end)
      expect(await firehose.fetch(partition, end, 2)).toEqual({
        partition,
        records: [],
        nextOffset: end,
      })
    })

    test('an offset by time is the first appended then or later', async () => {
      for (let i = 0; i < 10; i++) await firehose.append([postBy('anna'), postBy(`user ${i}`)])
      const partitions = await readAll(firehose)
      const { end } = await firehose.bounds()
      const times = new Set(partitions.flat().flatMap((r) => [r.appendedAtMs, r.appendedAtMs + 1]))
      for (const time of [0, ...times]) {
        const expected = partitions.map(
          (records, p) => records.find((r) => r.appendedAtMs >= time)?.offset ?? end[p],
        )
        expect(await firehose.offsetsAt(time)).toEqual(expected)
      }
    })

    test('a follower gets what is there, then what comes, until it aborts', async () => {
      await firehose.append([1, 2, 3, 4].map((i) => postBy('anna', `${i}`)))
      const { batches, controller } = follow(zeroPosition(16))
      const texts = await takeTexts(batches, 4)
      const coming = batches.next()
      await firehose.append([postBy('anna', '5')])
      const batch = (await coming).value
      expect([...texts, ...(batch?.records ?? []).map(textOf)]).toEqual(['1', '2', '3', '4', '5'])
      const ending = batches.next()
      controller.abort()
      expect(await ending).toMatchObject({ done: true })
    })

    test('a follower starts where it says', async () => {
      const appended = await firehose.append([1, 2, 3].map((i) => postBy('anna', `${i}`)))
      const { end } = await firehose.bounds()
      const from = [...end]
      from[appended[2]?.partition ?? 0] = appended[2]?.offset ?? 0
      expect(await takeTexts(follow(from).batches, 1)).toEqual(['3'])
    })

    test('many followers each get everything', async () => {
      const followers = Array.from({ length: 5 }, () => follow(zeroPosition(16)).batches)
      const taken = followers.map((batches) => takeTexts(batches, 3))
      for (const text of ['a', 'b', 'c']) await firehose.append([postBy('anna', text)])
      for (const texts of await Promise.all(taken)) expect(texts).toEqual(['a', 'b', 'c'])
    })

    test('a follower of the public topic meets no private event', async () => {
      const marks = oneOfEachKind().filter(({ fact }) => routeOf(fact).topic === 'private')
      const { batches } = follow(zeroPosition(8), 'public')
      await firehose.append([...marks, postBy('anna', 'public')])
      const { value } = await batches.next()
      expect(value.records.map(textOf)).toEqual(['public'])
      expect(topicOf(value.partition, firehose.identity.partitionsPerTopic)).toBe('public')
    })

    test('reading beyond the end is a gap', async () => {
      const [first] = await firehose.append([postBy('anna')])
      const beyond = zeroPosition(16)
      const partition = first?.partition ?? 0
      beyond[partition] = 2
      await expect(firehose.fetch(partition, 2, 1)).rejects.toThrow(FirehoseGap)
      await expect(follow(beyond).batches.next()).rejects.toThrow(FirehoseGap)
    })

    test('reading what retention dropped is a gap, the rest is still there', async () => {
      const appended = []
      for (const text of ['1', '2', '3']) {
        appended.push(...(await firehose.append([postBy('anna', text)])))
      }
      const third = appended[2] ?? { partition: 0, offset: 0, appendedAtMs: 0 }
      await log.dropBefore(third)
      const { start, end } = await firehose.bounds()
      expect(start[third.partition]).toBe(third.offset)
      expect(end[third.partition]).toBe(third.offset + 1)
      await expect(firehose.fetch(third.partition, 0, 1)).rejects.toThrow(FirehoseGap)
      await expect(follow(zeroPosition(16)).batches.next()).rejects.toThrow(FirehoseGap)
      expect(await takeTexts(follow(start).batches, 1)).toEqual(['3'])
      const [next] = await firehose.append([postBy('anna', '4')])
      expect(next?.offset).toBe(third.offset + 1)
    })

    // It may first be given what it had read ahead, but never what stands behind the gap.
    test('a follower whom retention overtakes is told of the gap', async () => {
      const posts = Array.from({ length: 10 }, (_, i) => `${i}`)
      const appended = []
      for (const text of posts) appended.push(...(await firehose.append([postBy('anna', text)])))
      const { batches } = follow(zeroPosition(16))
      const first = await takeTexts(batches, 1)
      await log.dropBefore(appended[9] ?? { partition: 0, offset: 0, appendedAtMs: 0 })
      const rest = takeTexts(batches, posts.length - first.length)
      await expect(rest).rejects.toThrow(FirehoseGap)
    })

    test('a record that a producer repeats stands in the log twice', async () => {
      const event = produced({ kind: 'user-deleted', user: { id: 'x', key: keyOfX } })
      const [once] = await firehose.append([event])
      const [again] = await firehose.append([event])
      expect(again?.offset).toBe((once?.offset ?? 0) + 1)
    })
  })
}

const keyOfX = routeOf(postBy('x').fact).key.key

function textOf({ event }: LogRecord): string {
  const { fact } = event
  return fact.kind === 'post-created' ? new TextDecoder().decode(fact.content) : fact.kind
}

/** Texts of the next records, at least `count`. */
async function takeTexts(
  batches: AsyncIterator<{ readonly records: readonly LogRecord[] }>,
  count: number,
): Promise<string[]> {
  const texts: string[] = []
  while (texts.length < count) {
    const { done, value } = await batches.next()
    if (done === true) throw new Error('the follower ended early')
    texts.push(...value.records.map(textOf))
  }
  return texts
}

async function readAll(firehose: Firehose): Promise<LogRecord[][]> {
  const { start, end } = await firehose.bounds()
  return Promise.all(
    start.map(async (from, partition) => {
      const records: LogRecord[] = []
      let next = from
      while (next < (end[partition] ?? 0)) {
        const batch = await firehose.fetch(partition, next, 1_000)
        records.push(...batch.records)
        next = batch.nextOffset
      }
      return records
    }),
  )
}
