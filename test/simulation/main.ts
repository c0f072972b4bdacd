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

import { spawn } from 'node:child_process'
import { once, setMaxListeners } from 'node:events'
import { parseArgs } from 'node:util'
import { Cell } from '../../cells/activities/cell.ts'
import { FLOORS } from './floors.ts'
import { mutantOf, withPlanted } from './planted.ts'
import { type Outcome, simulate } from './simulate.ts'
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

function wholeNumber(text: string, name: string): number {
  const number = Number(text)
  if (Number.isInteger(number) && number > 0) return number
  process.stderr.write(`--${name} takes a whole number above 0, not ${text}\n`)
  process.exit(2)
}

function describe({ seed, violation }: Outcome): string {
  if (violation === undefined) return `seed ${seed}: all held`
  const lines = [`seed ${seed}: ${violation.message}`]
  if (violation.got !== undefined) lines.push(`  got  ${textOf(violation.got)}`)
  if (violation.want !== undefined) lines.push(`  want ${textOf(violation.want)}`)
  return [...lines, `  again: make sim SEED=${seed}`].join('\n')
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'bigint' ? String(part) : part,
  )
}

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

/** Runs this very command on a copy of the cell with the bug in it. */
async function runMutant(name: string): Promise<void> {
  const args = process.argv
    .slice(2)
    .filter((arg, i, all) => arg !== '--mutant' && all[i - 1] !== '--mutant')
  const node = ['--import', import.meta.resolve('tsx'), 'test/simulation/main.ts', ...args]
  process.exitCode = await withPlanted(mutantOf(name), async (folder) => {
    const child = spawn(process.execPath, node, { cwd: folder, stdio: 'inherit' })
    const [code] = (await once(child, 'close')) as [number | null]
    return code ?? 1
  })
}

if (values.mutant !== undefined) await runMutant(values.mutant)
else if (values.seed !== undefined) await runOne(wholeNumber(values.seed, 'seed'))
else await runMany(wholeNumber(values.from, 'from'), wholeNumber(values.seeds ?? '100', 'seeds'))
