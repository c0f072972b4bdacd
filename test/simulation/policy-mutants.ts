// Bugs of deciding what is delivered to whom. Each is planted like those of mutant-list.ts.

import type { Mutant } from './mutant.ts'

export const POLICY_MUTANTS: readonly Mutant[] = [
  {
    name: 'left-out-early',
    bug: "an inbox goes without an author before the reader's row says so",
    file: 'cells/activities/policy.ts',
    old: '    if (isSmaller) reader.leavesOut = false\n',
    new: '    if (isSmaller) reader.leavesOut = true\n',
  },
  {
    name: 'taken-in-covered',
    bug: 'an author who is delivered to a reader again is covered from the beginning',
    file: 'cells/activities/policy.ts',
    old: 'const covered = isLeftOut ? NOT_COVERED : authors.coverageAtLink(keys[i] as number)',
    new: 'const covered = isLeftOut ? NOT_COVERED : 0',
  },
  {
    name: 'left-out-not-recovered',
    bug: 'a restart makes a reader’s inbox cover what it goes without',
    file: 'cells/model/rows.ts',
    old: '  const edges = readMap(from) ?? new NumberMap()\n',
    new: '  const edges = readMap(from) ?? new NumberMap()\n  for (let i = 0; i < edges.size; i++) if (((edges.words[i] as number) & COVERED_FROM) === NOT_COVERED) edges.words[i] = 0\n',
  },
]
