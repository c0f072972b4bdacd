// Bugs of deciding what is delivered to whom. Each is planted like those of mutant-list.ts.

import type { Mutant } from './mutant.ts'

export const POLICY_MUTANTS: readonly Mutant[] = [
  {
    name: 'left-out-early',
    bug: "an inbox goes without an author before the reader's row says so",
    file: 'cells/activities/policy.ts',
    old: '      if (isLeftOut) reader.leavesOut = false\n',
    new: '      if (isLeftOut) reader.leavesOut = true\n',
    test: 'test/unit/activities/away.test.ts',
  },
  {
    name: 'taken-in-covered',
    bug: 'an author who is delivered to a reader again is covered from the beginning',
    file: 'cells/activities/policy.ts',
    old: 'const covered = isLeftOut ? NOT_COVERED : authors.coverageAtLink(keys[i] as number)',
    new: 'const covered = isLeftOut ? NOT_COVERED : 0',
    test: 'test/unit/activities/away.test.ts',
  },
  {
    name: 'left-out-not-recovered',
    bug: 'a restart makes a reader’s inbox cover what it goes without',
    file: 'cells/model/rows.ts',
    old: '  const edges = readMap(from) ?? new NumberMap()\n',
    new: '  const edges = readMap(from) ?? new NumberMap()\n  for (let i = 0; i < edges.size; i++) if (((edges.words[i] as number) & 0x7fff_ffff) === 0x7fff_ffff) edges.words[i] = 0\n',
    test: 'test/unit/activities/away.test.ts',
  },
  {
    name: 'left-out-of-before',
    bug: 'what an earlier process left out is left out before this one has said so: a late row of that one makes it covered',
    file: 'cells/activities/recovery.ts',
    old: '          else this.#state.addReader(reader)\n',
    new: '          else this.#state.addReader(reader)\n          reader.leavesOut = reader.lacksCoverage\n',
    test: 'test/unit/activities/away.test.ts',
  },
  {
    name: 'away-with-old-row',
    bug: 'who is away stays so after a restart by the row of an earlier process, on which a later one of that may land',
    file: 'cells/activities/recovery.ts',
    old: '    await this.#persistence.untilDurable(() => this.#store.readers.put(own))\n',
    new: '    if (own.length > 1e9) await this.#store.readers.put(own)\n',
    test: 'test/unit/activities/away.test.ts',
  },
  {
    name: 'away-with-changes',
    bug: 'a reader leaves memory whose row does not say everything yet',
    file: 'cells/activities/away.ts',
    old: 'slot === undefined || reader.revision !== revision || !this.#mayGo(reader, slot)',
    new: 'slot === undefined || !this.#mayGo(reader, slot)',
    test: 'test/unit/activities/away.test.ts',
  },
  {
    name: 'away-before-checkpoint',
    bug: 'readers leave memory before a checkpoint has written what they changed',
    file: 'cells/activities/away.ts',
    old: '    await this.#checkpoint()\n',
    new: '',
    test: 'test/unit/activities/away.test.ts',
  },
  {
    name: 'away-covered',
    bug: 'readers leave memory of whom inboxes still hold something, and get nothing any more',
    file: 'cells/activities/away.ts',
    old: 'return reader.leavesOut && reader.lacksAllCoverage',
    new: 'return true',
    test: 'test/unit/activities/away.test.ts',
  },
  {
    name: 'away-unlisted',
    bug: 'who is away is nobody’s follower',
    file: 'cells/activities/lists.ts',
    old: 'slot.readers.get(number) ?? away.get(number)',
    new: 'slot.readers.get(number)',
    test: 'test/unit/activities/away.test.ts',
  },
]
