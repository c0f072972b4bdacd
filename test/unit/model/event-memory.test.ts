// Event memory: the answers of a memory that never forgets, in bounded space, and the same after any crash.

import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Admission,
  EventMemory,
  type PartitionMemory,
  type SeenRecord,
} from '../../../cells/model/event-memory.ts'
import { composeId } from '../../../cells/model/post-id.ts'

const START_MS = 1_700_000_000_000
const windowMs = 100
const partitions = 2

/** Never forgets: the rule itself. */
class NaiveMemory {
  readonly #accepted = new Set<string>()
  readonly #maxMs = new Array<number>(partitions).fill(0)

  admit(record: SeenRecord & { idMs: number }): Admission {
    const maxMs = Math.max(this.#maxMs[record.partition] ?? 0, record.appendedAtMs)
    this.#maxMs[record.partition] = maxMs
    if (Math.abs(record.idMs - maxMs) > windowMs) return 'refused'
    const name = `${record.partition}/${record.idHi}/${record.idLo}`
    if (this.#accepted.has(name)) return 'repeated'
    this.#accepted.add(name)
    return 'accepted'
  }
}

type Step = {
  readonly partition: number
  readonly clockStepMs: number
  readonly idSkewMs: number
  readonly sequence: number
  /** How many records of the partition back the repeated one lies; 0: a new id. */
  readonly repeatBack: number
  readonly gap: number
}

const clockStep = fc.oneof(
  { weight: 24, arbitrary: fc.integer({ min: 0, max: 12 }) },
  { weight: 2, arbitrary: fc.integer({ min: -60, max: 60 }) },
  { weight: 1, arbitrary: fc.integer({ min: -700, max: 700 }) },
)
const steps = fc.array(
  fc.record<Step>({
    partition: fc.constantFrom(0, 0, 0, 1),
    clockStepMs: clockStep,
    idSkewMs: fc.oneof(fc.integer({ min: -130, max: 130 }), fc.constantFrom(-100, 99, 100, 101)),
    sequence: fc.integer({ min: 0, max: 2 }),
    repeatBack: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 60 })),
    gap: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(3) }),
  }),
  { minLength: 1, maxLength: 250, size: 'max' },
)

function recordOf(at: { partition: number; offset: number; appendedAtMs: number; id: bigint }) {
  return {
    partition: at.partition,
    offset: at.offset,
    appendedAtMs: at.appendedAtMs,
    idHi: Number(at.id >> 32n),
    idLo: Number(at.id & 0xffff_ffffn),
    idMs: Number(at.id >> 22n) + 946_684_800_000,
  }
}

function recordsOf(script: readonly Step[]) {
  const clocks = new Array<number>(partitions).fill(START_MS)
  const logs = Array.from({ length: partitions }, () => [] as ReturnType<typeof recordOf>[])
  return script.map((step) => {
    const log = logs[step.partition] ?? []
    const appendedAtMs = (clocks[step.partition] ?? START_MS) + step.clockStepMs
    clocks[step.partition] = appendedAtMs
    const offset = (log.at(-1)?.offset ?? 4) + 1 + step.gap
    const ms = appendedAtMs + step.idSkewMs
    const repeated = step.repeatBack === 0 ? undefined : log.at(-step.repeatBack)
    const id = composeId({ ms, worker: 1, sequence: step.sequence })
    const record =
      repeated === undefined
        ? recordOf({ partition: step.partition, offset, appendedAtMs, id })
        : { ...repeated, offset, appendedAtMs }
    log.push(record)
    return record
  })
}

function restoreAt(
  snapshot: readonly PartitionMemory[],
  before: readonly SeenRecord[],
): EventMemory {
  const restored = EventMemory.restore(snapshot, { repeatWindowMs: windowMs })
  for (const record of before) {
    const kept = snapshot[record.partition]
    if (kept !== undefined && record.offset >= kept.replayFromOffset) restored.admit(record)
  }
  return restored
}

describe('admit', () => {
  test('answers as a memory that never forgets', () => {
    fc.assert(
      fc.property(steps, (script) => {
        const naive = new NaiveMemory()
        const memory = new EventMemory({ partitions, repeatWindowMs: windowMs })
        for (const record of recordsOf(script)) {
          expect(memory.admit(record)).toBe(naive.admit(record))
        }
      }),
      { numRuns: 300 },
    )
  })

  test('answers the same after crashes at any points', () => {
    const crashes = fc.array(fc.nat(250), { minLength: 1, maxLength: 12 })
    fc.assert(
      fc.property(steps, crashes, (script, crashesAt) => {
        const naive = new NaiveMemory()
        let memory = new EventMemory({ partitions, repeatWindowMs: windowMs })
        const records = recordsOf(script)
        for (const [i, record] of records.entries()) {
          if (crashesAt.includes(i)) memory = restoreAt(memory.snapshot(), records.slice(0, i))
          expect(memory.admit(record)).toBe(naive.admit(record))
        }
      }),
      { numRuns: 600 },
    )
  })

  test('refuses a record without an id, and counts its append time', () => {
    const memory = new EventMemory({ partitions: 1, repeatWindowMs: windowMs })
    const empty = { partition: 0, offset: 0, appendedAtMs: START_MS, idHi: 0, idLo: 0 }
    expect(memory.admit(empty)).toBe('refused')
    expect(memory.snapshot()[0]?.runningMaxMs).toBe(START_MS)
  })

  test('throws when an offset comes again', () => {
    const memory = new EventMemory({ partitions: 1 })
    const record = { partition: 0, offset: 7, appendedAtMs: START_MS, idHi: 1, idLo: 1 }
    memory.admit(record)
    expect(() => memory.admit(record)).toThrow('offset 7')
  })
})

describe('restore', () => {
  test('keeps the running maximum when the log lost what made it', () => {
    const memory = new EventMemory({ partitions: 1, repeatWindowMs: windowMs })
    const id = composeId({ ms: START_MS, worker: 1, sequence: 0 })
    memory.admit(recordOf({ partition: 0, offset: 3, appendedAtMs: START_MS + 50, id }))
    const once = EventMemory.restore(memory.snapshot(), { repeatWindowMs: windowMs })
    expect(once.snapshot()).toEqual(memory.snapshot())
    const twice = EventMemory.restore(once.snapshot(), { repeatWindowMs: windowMs })
    const late = composeId({ ms: START_MS - 60, worker: 1, sequence: 0 })
    const lateRecord = recordOf({ partition: 0, offset: 4, appendedAtMs: START_MS - 60, id: late })
    expect(twice.admit(lateRecord)).toBe('refused')
  })

  test('what may repeat a record that the log has dropped is unknown, and nothing else is', () => {
    const memory = new EventMemory({ partitions: 1, repeatWindowMs: windowMs })
    const idAt = (ms: number) => composeId({ ms, worker: 1, sequence: 0 })
    const first = { partition: 0, offset: 0, appendedAtMs: START_MS, id: idAt(START_MS) }
    memory.admit(recordOf(first))
    const again = () => EventMemory.restore(memory.snapshot(), { repeatWindowMs: windowMs })
    const atMs = START_MS + Math.floor(windowMs / 2)
    const repeat = recordOf({ ...first, offset: 1, appendedAtMs: atMs })
    const fed = again()
    fed.admit(recordOf(first))
    expect(fed.admit(repeat)).toBe('repeated')
    const unfed = again()
    unfed.missPart(0)
    expect(unfed.admit(repeat)).toBe('unknown')
    const lateMs = START_MS + windowMs + 1
    const late = { partition: 0, offset: 2, appendedAtMs: lateMs, id: idAt(lateMs) }
    expect(unfed.admit(recordOf(late))).toBe('accepted')
  })

  test('reads again at most 2 D and a little of append time', () => {
    const memory = new EventMemory({ partitions: 1 })
    for (let i = 0; i < 20_000; i++) {
      const ms = START_MS + i * 50
      const id = composeId({ ms, worker: 1, sequence: 0 })
      memory.admit(recordOf({ partition: 0, offset: i, appendedAtMs: ms, id }))
    }
    const kept = memory.snapshot()[0]
    expect(kept?.replayFromOffset).toBeGreaterThan(20_000 - (240_000 * 1.02) / 50)
    expect(kept?.replayFromOffset).toBeLessThan(20_000 - 240_000 / 50)
  })
})

test('remembers the ids of a window only, in about 16 bytes each', () => {
  const memory = new EventMemory({ partitions: 1 })
  for (let i = 0; i < 200_000; i++) {
    const ms = START_MS + i * 5
    const id = composeId({ ms, worker: i % 3, sequence: 0 })
    memory.admit(recordOf({ partition: 0, offset: i, appendedAtMs: ms, id }))
  }
  expect(memory.size.ids).toBeLessThan(30_000)
  expect(memory.size.ids).toBeGreaterThanOrEqual(24_000)
  expect(memory.size.bytes / memory.size.ids).toBeLessThan(24)
})
