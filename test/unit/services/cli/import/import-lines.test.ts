// Imports: nothing is lost or counted twice, however batches end; and what is bad is told by its line.

import { describe, expect, test } from 'vitest'
import type { ImportRecord, ImportResult } from '../../../../../services/client/connect.ts'
import { parseEdge } from '../../../../../services/cli/import/edge-list.ts'
import {
  importLimits,
  importLines,
  type ImportTally,
} from '../../../../../services/cli/import/import-lines.ts'

const nothingDone: ImportTally = { linesDone: 0, accepted: 0, badLines: 0, firstBadLine: undefined }
const limits: typeof importLimits = { ...importLimits, batchRecordsMax: 4, batchesInFlightMax: 3 }

const allAccepted = (records: readonly ImportRecord[]): ImportResult => ({
  acceptedCount: records.length,
  problems: [],
  postIds: [],
})

async function* numbered(texts: readonly string[]) {
  for (const [at, text] of texts.entries()) {
    yield await Promise.resolve({ kind: 'line' as const, number: at + 1, text })
  }
}

function run(
  texts: readonly string[],
  options: {
    send: (records: readonly ImportRecord[]) => Promise<ImportResult>
    from?: ImportTally
    mutual?: boolean
    tallies?: ImportTally[]
  },
) {
  return importLines({
    lines: numbered(texts),
    parse: (line) => parseEdge(line, { mutual: options.mutual ?? false }),
    send: options.send,
    from: options.from ?? nothingDone,
    advanced: (tally) => void options.tallies?.push(tally),
    limits,
  })
}

const edges = (size: number) => Array.from({ length: size }, (_, at) => `u${at} v${at}`)

describe('importing lines', () => {
  test('every record is sent once, in batches no larger than allowed', async () => {
    const sent: ImportRecord[][] = []
    const tally = await run(edges(25), {
      mutual: true,
      send: async (records) => {
        sent.push([...records])
        return await Promise.resolve(allAccepted(records))
      },
    })
    expect(tally).toEqual({ ...nothingDone, linesDone: 25, accepted: 50 })
    expect(sent.flat()).toHaveLength(50)
    expect(Math.max(...sent.map((batch) => batch.length))).toBeLessThanOrEqual(4)
  })

  test('no more batches are under way than allowed', async () => {
    let underWay = 0
    let peak = 0
    await run(edges(60), {
      send: async (records) => {
        underWay += 1
        peak = Math.max(peak, underWay)
        await new Promise(setImmediate)
        underWay -= 1
        return allAccepted(records)
      },
    })
    expect(peak).toBe(3)
  })

  test('the tally passes a line only when all before it are done', async () => {
    const tallies: ImportTally[] = []
    let batches = 0
    const failing = run(edges(12), {
      tallies,
      send: async (records) => {
        batches += 1
        // The second batch of three fails, after the third one has succeeded.
        if (batches !== 2) return await Promise.resolve(allAccepted(records))
        await new Promise(setImmediate)
        throw new Error('the server is gone')
      },
    })
    await expect(failing).rejects.toThrow('the server is gone')
    expect(tallies.map((tally) => tally.linesDone)).toEqual([3])
  })

  test('a run that goes on passes over what is done and keeps counting', async () => {
    const sent: ImportRecord[] = []
    const from = {
      linesDone: 4,
      accepted: 3,
      badLines: 1,
      firstBadLine: { number: 2, reason: 'x' },
    }
    const tally = await run([...edges(5), 'bad'], {
      from,
      send: async (records) => {
        sent.push(...records)
        return await Promise.resolve(allAccepted(records))
      },
    })
    expect(sent).toEqual([{ follow: { userId: 'u4', authorId: 'v4' } }])
    expect(tally).toEqual({ ...from, linesDone: 6, accepted: 4, badLines: 2 })
  })

  test('bad lines are counted by line, whoever found them, and the first one is named', async () => {
    const tally = await run(['# comment', 'a b', 'x y', 'a', 'c d'], {
      mutual: true,
      send: async (records) => {
        const problems = records.flatMap((record, index) =>
          JSON.stringify(record).includes('x')
            ? [{ index, reason: 'USER_ID_INVALID', field: 'follow.user_id', message: 'no such id' }]
            : [],
        )
        const acceptedCount = records.length - problems.length
        return await Promise.resolve({ acceptedCount, problems, postIds: [] })
      },
    })
    expect(tally).toEqual({
      linesDone: 5,
      accepted: 4,
      badLines: 2,
      firstBadLine: { number: 3, reason: 'follow.user_id: no such id (USER_ID_INVALID)' },
    })
  })
})
