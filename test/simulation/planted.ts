// A bug planted in a copy of the cell, on which the simulation can run.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import type { Mutant } from './mutant.ts'
import { MUTANTS } from './mutant-list.ts'

const ROOT = join(import.meta.dirname, '../..')
const PARTS = [
  'cells',
  'infra/in-process',
  'infra/memory',
  'test/simulation',
  'test/unit/activities',
  'package.json',
  'tsconfig.json',
  'vitest.config.ts',
]

export function mutantOf(name: string): Mutant {
  const mutant = MUTANTS.find((each) => each.name === name)
  if (mutant === undefined) throw new Error(`no mutant is called ${name}; --list names them`)
  return mutant
}

/** Calls `run` with a folder that holds what the simulation and unit tests run on, the bug in it; then removes it. */
export async function withPlanted<T>(
  mutant: Mutant,
  run: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'cellfeed-mutant-'))
  try {
    await plant(mutant, folder)
    return await run(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Runs this process's own command on such a folder, without `--mutant`; answers its exit code. */
export function rerunPlanted(name: string): Promise<number> {
  const [, script = '', ...given] = process.argv
  const args = given.filter((arg, i) => arg !== '--mutant' && given[i - 1] !== '--mutant')
  const node = ['--import', import.meta.resolve('tsx'), relative(ROOT, script), ...args]
  return withPlanted(mutantOf(name), async (folder) => {
    const child = spawn(process.execPath, node, { cwd: folder, stdio: 'inherit' })
    const [code] = (await once(child, 'close')) as [number | null]
    return code ?? 1
  })
}

async function plant(mutant: Mutant, folder: string): Promise<void> {
  for (const part of PARTS) await cp(join(ROOT, part), join(folder, part), { recursive: true })
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  const path = join(folder, mutant.file)
  const source = await readFile(path, 'utf8')
  const places = source.split(mutant.old).length - 1
  if (places !== 1) {
    throw new Error(`${mutant.name}: its text stands ${places} times in ${mutant.file}, not once`)
  }
  await writeFile(
    path,
    source.replace(mutant.old, () => mutant.new),
  )
}
