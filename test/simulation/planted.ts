// A bug planted in a copy of the cell, on which the simulation can run.

import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Mutant } from './mutant.ts'
import { MUTANTS } from './mutant-list.ts'

const ROOT = join(import.meta.dirname, '../..')

export function mutantOf(name: string): Mutant {
  const mutant = MUTANTS.find((each) => each.name === name)
  if (mutant === undefined) throw new Error(`no mutant is called ${name}; --list names them`)
  return mutant
}

/** Calls `run` with a folder that holds what the simulation runs on, the bug in it; then removes it. */
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

async function plant(mutant: Mutant, folder: string): Promise<void> {
  for (const part of ['cells', 'test/simulation', 'package.json']) {
    await cp(join(ROOT, part), join(folder, part), { recursive: true })
  }
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
