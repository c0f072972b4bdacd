// Runs the simulation from the command line.
//
//   --seeds n [--from k]   n seeds, beginning with k; counts what was completed, and fails when a kind is too rare
//   --seed n               one seed, its whole trace on standard output
//   --trace-digest         per seed one line: the seed and the digest of its trace
//   --mutant name          the same with a bug planted in the cell (mutant-list.ts)
//   --keep-going           after a violation
//   --quiet                only violations
//
// Exit code 0: all held; 1: a violation, or a kind too rare; 2: usage.

import { setMaxListeners } from 'node:events'
import { parseArgs } from 'node:util'
import { Cell } from '../../cells/activities/cell.ts'
import { describe, wholeNumber } from './describe.ts'
import { FLOORS } from './floors.ts'
import { rerunPlanted } from './planted.ts'
import { simulate } from './simulate.ts'
import { Tally } from './tally.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    'trace-digest': { type: 'boolean', default: false },
    quiet: { type: 'boolean', default: false },
    'keep-going': { type: 'boolean', default: false },
    mutant: { type: 'string' },
  },
})

// Many activities of one cell wait with the signal that stops it.
setMaxListeners(1_000)

const makeCell = (...[ports, options]: ConstructorParameters<typeof Cell>): Cell =>
  new Cell(ports, options)

async function runOne(seed: number): Promise<void> {
  const outcome = await simulate(seed, { makeCell, keepsTrace: true })
  process.stdout.write(`${outcome.trace.lines.join('\n')}\n${describe(outcome)}\n`)
  if (outcome.violation !== undefined) process.exitCode = 1
}

async function runMany(from: number, seeds: number): Promise<void> {
  const tally = new Tally()
  let steps = 0
  for (let seed = from; seed < from + seeds; seed++) {
    const outcome = await simulate(seed, { makeCell })
    tally.merge(outcome.tally)
    steps += outcome.steps
    if (values['trace-digest']) process.stdout.write(`${seed} ${outcome.trace.digest}\n`)
    if (outcome.violation === undefined) continue
    process.stdout.write(`${describe(outcome)}\n`)
    process.exitCode = 1
    if (!values['keep-going']) return
  }
  if (values['trace-digest'] || values.quiet) return
  for (const [kind, count] of tally.entries)
    process.stdout.write(`${String(count).padStart(9)}  ${kind}\n`)
  process.stdout.write(`${seeds} seeds from ${from} held, ${steps} steps\n`)
  const rare = tally.tooRare(FLOORS, seeds)
  for (const line of rare) process.stdout.write(`too rare: ${line}\n`)
  if (rare.length > 0) process.exitCode = 1
}

if (values.mutant !== undefined) process.exitCode = await rerunPlanted(values.mutant)
else if (values.seed !== undefined) await runOne(wholeNumber(values.seed, 'seed'))
else await runMany(wholeNumber(values.from, 'from'), wholeNumber(values.seeds ?? '100', 'seeds'))
