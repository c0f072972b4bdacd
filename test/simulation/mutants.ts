// Proves that the checkers bite: plants each bug of the list in a copy of the cell, lets the simulation run on the copy, and tells
// how many seeds it took to find it; of a few, which need too much luck, whether their unit test does. A bug that is not found, or not in
// time, or whose place in the source is gone, fails the run.
//
//   --seeds n     give up on a bug after so many seeds
//   --only a,b    these bugs only
//   --list        names and descriptions

import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Mutant } from './mutant.ts'
import { MUTANTS } from './mutant-list.ts'
import { mutantOf, withPlanted } from './planted.ts'

const TSX = import.meta.resolve('tsx')
const VITEST = join(import.meta.dirname, '../../node_modules/vitest/vitest.mjs')
/** Seeds take a tenth of this on a machine that does nothing else. */
const SEED_MS_MAX = 4_000
const TEST_MS_MAX = 120_000

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '3000' },
    only: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
})

/** `by`: how many seeds it took, or that a test found it. */
type Found = { readonly by: string; readonly what: string }
type Hunt = Found | 'held' | 'out of time'

/** The first seed that fails, counted from 1. A run that is ended from outside has found nothing: the machine may be slow. */
async function hunt(folder: string, seeds: number): Promise<Hunt> {
  const args = ['--import', TSX, 'test/simulation/main.ts', '--seeds', String(seeds), '--quiet']
  const { code, output } = await run(args, folder, 60_000 + seeds * SEED_MS_MAX)
  if (code === 0) return 'held'
  const violation = /^seed (\d+): (.*)$/m.exec(output)
  if (violation !== null) return { by: violation[1] ?? '', what: violation[2] ?? '' }
  if (code === null) return 'out of time'
  throw new Error(`the simulation did not run:\n${output.slice(0, 2_000)}`)
}

async function test(folder: string, path: string): Promise<Hunt> {
  const args = [VITEST, 'run', path, '--project', 'unit', '--reporter=json', '--testTimeout=10000']
  const { code, output } = await run(args, folder, TEST_MS_MAX)
  if (code === 0) return 'held'
  if (code === null) return 'out of time'
  const report = output.slice(output.indexOf('{'))
  const failed = /"status":"failed","title":"([^"]*)"/.exec(report)
  if (failed === null) throw new Error(`${path} did not run:\n${output.slice(0, 2_000)}`)
  return { by: 'test', what: failed[1] ?? '' }
}

/** `code` is null when it did not end in time. */
async function run(
  args: readonly string[],
  cwd: string,
  timeout: number,
): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawn(process.execPath, args, { cwd, timeout })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8')
    stream.on('data', (text: string) => {
      output += text
    })
  }
  const code = await new Promise<number | null>((resolve) => {
    child.on('close', resolve)
  })
  return { code, output }
}

function chosen(): readonly Mutant[] {
  return values.only === undefined ? MUTANTS : values.only.split(',').map(mutantOf)
}

async function main(): Promise<void> {
  const mutants = chosen()
  if (values.list) {
    for (const { name, bug } of mutants) process.stdout.write(`${name.padEnd(28)}${bug}\n`)
    return
  }
  const seeds = Number(values.seeds)
  const waiting = [...mutants]
  let missed = 0
  const work = async (): Promise<void> => {
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      const found = await withPlanted(mutant, (folder) =>
        mutant.test === undefined ? hunt(folder, seeds) : test(folder, mutant.test),
      )
      const name = mutant.name.padEnd(28)
      if (typeof found === 'string') {
        missed++
        process.stdout.write(`${name}NOT FOUND in ${seeds} seeds (${found})  ${mutant.bug}\n`)
      } else {
        process.stdout.write(`${name}${found.by.padStart(5)}  ${found.what.slice(0, 90)}\n`)
      }
    }
  }
  process.stdout.write(`${'bug'.padEnd(28)}seeds  what the simulation said\n`)
  await Promise.all(Array.from({ length: availableParallelism() }, work))
  process.stdout.write(`${mutants.length - missed} of ${mutants.length} found\n`)
  if (missed > 0) process.exitCode = 1
}

await main()
