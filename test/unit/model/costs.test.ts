// Costs as measured: they follow what is done, slowly, and no outlier turns them.

import { expect, test } from 'vitest'
import { CostMeter, COSTS_EXPECTED } from '../../../cells/model/costs.ts'

test('a cost comes to what is measured over and over', () => {
  const costs = new CostMeter()
  for (let i = 0; i < 10_000; i++) costs.note('pullUs', 10, 2_000)
  expect(costs.get('pullUs')).toBeCloseTo(200, 0)
  for (let i = 0; i < 10_000; i++) costs.note('pullUs', 10, 200)
  expect(costs.get('pullUs')).toBeCloseTo(20, 0)
})

test('what was only expected is soon forgotten; what was measured is not', () => {
  const costs = new CostMeter()
  costs.note('pullUs', 2_000, 2_000 * 20)
  expect(costs.get('pullUs')).toBeLessThan(25)
  for (let i = 0; i < 1_000; i++) costs.note('pullUs', 10, 200)
  costs.note('pullUs', 2_000, 2_000 * 60)
  expect(costs.get('pullUs')).toBeLessThan(30)
})

test('one outlier, however far out, changes little', () => {
  const costs = new CostMeter()
  costs.note('pullUs', 1, 1e9)
  expect(costs.get('pullUs')).toBeLessThan(1.02 * COSTS_EXPECTED.pullUs)
})

test('of what is also waited for, the least counts', () => {
  const costs = new CostMeter()
  for (let i = 0; i < 100; i++) costs.note('chunkUs', 1_000, i % 4 === 0 ? 20_000 : 100_000)
  expect(costs.get('chunkUs')).toBeLessThan(50)
  const quick = new CostMeter()
  for (let i = 0; i < 500; i++) quick.note('chunkUs', 1_000, 2_000)
  expect(quick.get('chunkUs')).toBeCloseTo(2, 0)
})

test('a watch that stands still says nothing', () => {
  const costs = new CostMeter()
  for (let i = 0; i < 10_000; i++) costs.note('entryUs', 1_000, 0)
  expect(costs.all).toEqual(COSTS_EXPECTED)
})

test('what the operator sets counts, whatever is measured', () => {
  const costs = new CostMeter({ pullUs: 5 })
  for (let i = 0; i < 10_000; i++) costs.note('pullUs', 10, 2_000)
  expect(costs.get('pullUs')).toBe(5)
  expect(costs.all).toEqual({ ...COSTS_EXPECTED, pullUs: 5 })
})
