// Times as people read and write them.

import { describe, expect, test } from 'vitest'
import { ago, dateAndTime, duration, parseTime } from '../../../../services/cli/human-time.ts'

const nowMs = Date.UTC(2026, 2, 10, 12)

describe('human time', () => {
  test.each([
    [0, 'just now'],
    [42_000, '42 s ago'],
    [59_999, '59 s ago'],
    [60_000, '1 min ago'],
    [3_600_000, '1 h ago'],
    [26 * 3_600_000, '1 day ago'],
    [6 * 86_400_000, '6 days ago'],
  ])('%d ms ago is "%s"', (ms, words) => {
    expect(ago(new Date(nowMs - ms), nowMs)).toBe(words)
  })

  test('what is a week old, or to come, is a date', () => {
    const old = new Date(nowMs - 8 * 86_400_000)
    expect(ago(old, nowMs)).toBe(dateAndTime(old))
    const toCome = new Date(nowMs + 3_600_000)
    expect(ago(toCome, nowMs)).toBe(dateAndTime(toCome))
  })

  test.each([
    [0.42, '0.4 ms'],
    [12.3, '12 ms'],
    [3_200, '3.2 s'],
    [45_000, '45 s'],
    [250_000, '4 min 10 s'],
    [7_500_000, '2 h 5 min'],
    [3 * 86_400_000, '3 days'],
  ])('%d ms last "%s"', (ms, words) => {
    expect(duration(ms)).toBe(words)
  })

  test('times are read as dates or as a length of time ago', () => {
    expect(parseTime('2026-03-01T14:05:00Z', nowMs)).toEqual(new Date('2026-03-01T14:05:00Z'))
    expect(parseTime('15m', nowMs)).toEqual(new Date(nowMs - 900_000))
    for (const given of ['', 'yesterday', '15', '2026-13-45', '0:1']) {
      expect(parseTime(given, nowMs)).toBeUndefined()
    }
  })
})
