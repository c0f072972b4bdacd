// Crashes the source, the target and the controller of a move at everything that they do, from the command line.
//
//   --seeds n [--from k]                        all crashes of n seeds, beginning with k
//   --seed n --crash "way, victim, at, nth"     one of them, its whole trace on standard output
//   --mutant name                               the same with a bug planted in the cell (mutant-list.ts)
//
// Exit code 0: all held; 1: a violation; 2: usage.

import { setMaxListeners } from 'node:events'
import { parseArgs } from 'node:util'
import { Cell } from '../../cells/activities/cell.ts'
import { type CrashPoint, VICTIMS, WAYS } from './crash-story.ts'
import { crashAt, crashesOf } from './crashes.ts'
import { describe, wholeNumber } from './describe.ts'
import { rerunPlanted } from './planted.ts'
import type { MakeCell } from './simulated-cell.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    crash: { type: 'string' },
    mutant: { type: 'string' },
  },
})

// Many activities of one cell wait with the signal that stops it.
setMaxListeners(1_000)

const makeCell: MakeCell = (ports, options) => new Cell(ports, options)

function pointOf(text: string): CrashPoint {
  const [wayText, victimText, at, nth] = text.split(', ')
  const way = WAYS.find((each) => each === wayText)
  const victim = VICTIMS.find((each) => each === victimText)
  const isKnown = at === 'issue' || at === 'acknowledge'
  if (way !== undefined && victim !== undefined && isKnown && /^\d+$/.test(nth ?? '')) {
    return { way, victim, at, nth: Number(nth) }
  }
  process.stderr.write(`--crash takes "way, victim, issue or acknowledge, number", not ${text}\n`)
  process.exit(2)
}

async function runOne(seed: number, point: CrashPoint): Promise<void> {
  const { hasCrashed, outcome } = await crashAt(seed, point, { makeCell, keepsTrace: true })
  process.stdout.write(`${outcome.trace.lines.join('\n')}\n${describe(outcome)}\n`)
  if (!hasCrashed) process.stdout.write('the move was over before that\n')
  if (outcome.violation !== undefined) process.exitCode = 1
}

async function runAll(from: number, seeds: number): Promise<void> {
  let all = 0
  for (let seed = from; seed < from + seeds; seed++) {
    for await (const { way, victim, at, crashes, found } of crashesOf(seed, { makeCell })) {
      all += crashes
      const where = `${way}, ${victim}, ${at}`
      process.stdout.write(`seed ${seed}: ${where}: ${crashes} crashes\n`)
      if (found === undefined) continue
      const again = `make sim-crashes SEED=${seed} CRASH="${where}, ${found.nth}"`
      process.stdout.write(`${describe(found.outcome, again)}\n`)
      process.exitCode = 1
    }
  }
  process.stdout.write(`${all} crashes\n`)
}

if (values.mutant !== undefined) process.exitCode = await rerunPlanted(values.mutant)
else if (values.seed === undefined) {
  await runAll(wholeNumber(values.from, 'from'), wholeNumber(values.seeds, 'seeds'))
} else {
  await runOne(wholeNumber(values.seed, 'seed'), pointOf(values.crash ?? ''))
}
