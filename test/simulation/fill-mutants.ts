// Bugs of filling inboxes with what pages pull. Each is planted like those of mutant-list.ts.

import type { Mutant } from './mutant.ts'

const test = 'test/unit/activities/filling.test.ts'

export const FILL_MUTANTS: readonly Mutant[] = [
  {
    name: 'fill-over-unfollow',
    bug: 'filling an inbox covers an author who was unfollowed meanwhile, and follows again by that',
    file: 'cells/model/fill.ts',
    old: '    if (word === undefined || (word & COVERED_FROM) !== each.coveredFrom) continue\n',
    new: '',
    test,
  },
  {
    name: 'fill-amid-generation',
    bug: 'an inbox is filled while a generation is written that goes without the author',
    file: 'cells/activities/delivery.ts',
    old: 'await this.#inTurn(() => this.#filling.next())',
    new: 'await this.#filling.next()',
    test,
  },
  {
    name: 'fill-undurable',
    bug: 'an inbox is filled from the store although that lacks posts which no inbox will get',
    file: 'cells/activities/filling.ts',
    old: '    await this.#book.settle()\n',
    new: '',
    test,
  },
  {
    name: 'fill-not-written',
    bug: 'coverage is lowered although the store refused the chunk',
    file: 'cells/activities/filling.ts',
    old: 'await this.#table.putChunks(slot, FILL_MONTH, chunks)',
    new: 'await this.#table.putChunks(slot, FILL_MONTH, chunks).catch(() => undefined)',
    test,
  },
  {
    name: 'fill-not-copied',
    bug: 'a copy leaves out what the inboxes of slots were filled with whose chunks were here before',
    file: 'cells/activities/slot-copy.ts',
    old: 'const filled = isStandby ? [] : copied.filter(isFilled)',
    new: 'const filled = isStandby ? [] : chunkless.filter(isFilled)',
    test,
  },
  {
    name: 'fill-forgotten',
    bug: 'a restart forgets that an inbox was filled, and reads it only where a generation reaches',
    file: 'cells/model/rows.ts',
    old: 'to.varint(reader.filledBelow)',
    new: 'to.varint(Math.min(1, reader.filledBelow))',
    test,
  },
  {
    name: 'fill-whole-always',
    bug: 'an inbox that was filled with the newest of an author covers everything older too',
    file: 'cells/model/fill.ts',
    old: 'if (isWhole) return 0\n',
    new: 'if (isWhole || postIds.length > 0) return 0\n',
    test,
  },
  {
    name: 'fill-second-too-low',
    bug: 'the second of the last post that filled an inbox is taken as covered',
    file: 'cells/model/fill.ts',
    old: 'secondOfHalves(hiOf(last), loOf(last)) + 1',
    new: 'secondOfHalves(hiOf(last), loOf(last))',
    test: 'test/unit/model/fill.test.ts',
  },
  {
    name: 'fill-bound-low',
    bug: 'a filled inbox is read when pages get to the least coverage of those who filled it',
    file: 'cells/model/fill.ts',
    old: 'reader.filledBelow = Math.max(reader.filledBelow, each.coveredFrom)',
    new: 'reader.filledBelow = Math.min(reader.filledBelow || each.coveredFrom, each.coveredFrom)',
    test: 'test/unit/model/fill.test.ts',
  },
]
