// Long chains with marks against a sorted list, whatever is put in, taken out and dropped meanwhile.

import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { AuthorIndex } from '../../../cells/model/author-index.ts'
import { ChainMarks, type MarkedChains } from '../../../cells/model/chain-marks.ts'
import { PostWindow } from '../../../cells/model/window.ts'

const AUTHOR = 7
const GAP = 1 << 20

/** A window of one author's posts beside their ids in the order they came. */
class LongChain {
  readonly window = new PostWindow(new AuthorIndex())
  ids: (number | undefined)[] = []
  tail = 0
  #top = 0

  append(count: number): void {
    for (let i = 0; i < count; i++) this.#insert((this.#top += GAP))
  }

  insertAt(share: number, offset: number): void {
    const near = Math.floor((this.#top / GAP) * share) * GAP
    const id = near + 1 + offset
    if (id < this.#top && !this.#live().includes(id)) this.#insert(id)
  }

  remove(share: number): void {
    const live = this.#live()
    const id = live[Math.floor(share * live.length)]
    if (id === undefined) return
    assert.equal(this.window.remove(AUTHOR, 0, id), true)
    this.ids[this.ids.indexOf(id, this.tail)] = undefined
  }

  /** Takes out enough in a row that a mark is among them, and puts one post between what is left. */
  hollowOut(share: number): void {
    const live = this.#live().sort((a, b) => a - b)
    const from = Math.floor(share * live.length)
    const gone = live.slice(from, from + 80)
    for (const id of gone) {
      assert.equal(this.window.remove(AUTHOR, 0, id), true)
      this.ids[this.ids.indexOf(id, this.tail)] = undefined
    }
    const middle = gone[40]
    if (middle === undefined) return
    this.#insert(middle - 1)
    assert.notEqual(this.window.find(AUTHOR, 0, middle - 1), -1)
    assert.equal(this.window.find(AUTHOR, 0, middle), -1)
  }

  drop(share: number): void {
    const end = this.tail + Math.floor((this.ids.length - this.tail) * share)
    this.window.drop(end)
    this.tail = end
  }

  look(share: number, inclusive: boolean): void {
    const id = Math.floor(this.#top * share)
    const nearest = this.#live()
      .filter((each) => each < id || (inclusive && each === id))
      .reduce((a, b) => Math.max(a, b), -1)
    const entry = this.window.firstBelow(AUTHOR, 0, id, inclusive)
    assert.equal(entry < 0 ? -1 : this.window.loAt(entry), nearest)
  }

  #insert(id: number): void {
    assert.equal(this.window.insert(AUTHOR, 0, id, false), true)
    this.ids.push(id)
  }

  #live(): number[] {
    return this.ids.slice(this.tail).filter((id) => id !== undefined)
  }
}

const share = fc.double({ min: 0, max: 1, noNaN: true })
const steps = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('append' as const), count: fc.integer({ min: 1, max: 300 }) }),
    fc.record({ kind: fc.constant('insert' as const), share, offset: fc.nat(GAP - 3) }),
    fc.record({ kind: fc.constant('remove' as const), share }),
    fc.record({ kind: fc.constant('hollow' as const), share }),
    fc.record({ kind: fc.constant('drop' as const), share }),
    {
      weight: 6,
      arbitrary: fc.record({ kind: fc.constant('look' as const), share, inclusive: fc.boolean() }),
    },
  ),
  { minLength: 20, maxLength: 80 },
)

test('the way down a long chain ends where it should', { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(steps, (all) => {
      const chain = new LongChain()
      chain.append(500)
      for (const step of all) {
        if (step.kind === 'append') chain.append(step.count)
        else if (step.kind === 'insert') chain.insertAt(step.share, step.offset)
        else if (step.kind === 'remove') chain.remove(step.share)
        else if (step.kind === 'hollow') chain.hollowOut(step.share)
        else if (step.kind === 'drop') chain.drop(step.share / 2)
        else chain.look(step.share, step.inclusive)
      }
    }),
    { numRuns: 300 },
  )
})

test('marks stay within their bound: chains not used for longest lose theirs', () => {
  const chains: MarkedChains = { isOf: () => true, isAbove: (entry, _hi, lo) => entry > lo }
  const marks = new ChainMarks(chains, 4)
  marks.add(1, -1, [30, 20])
  marks.add(2, -1, [30, 20])
  marks.add(1, 20, [15])
  marks.add(3, -1, [30])
  expect(marks.count).toBe(4)
  expect([1, 2, 3].map((author) => marks.above(author, 0, 16))).toEqual([20, -1, 30])
})

test('a walk marks only what lies above all marks or below all', () => {
  const chains: MarkedChains = { isOf: () => true, isAbove: (entry, _hi, lo) => entry > lo }
  const marks = new ChainMarks(chains)
  marks.add(1, -1, [30, 20])
  marks.add(1, 30, [25])
  expect(marks.above(1, 0, 22)).toBe(30)
  marks.add(1, 20, [10])
  expect(marks.above(1, 0, 9)).toBe(10)
})
