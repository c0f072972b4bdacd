// What runs of a cluster, noted in its folder from the moment it has a process id, so that exactly that can be stopped.

import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { birthOf } from './process-birth.ts'

export type NotedProcess = { readonly name: string; readonly pid: number; readonly birth: string }
export type Noted = {
  readonly engines: 'containers' | 'processes'
  readonly cells: number
  /** In the order of their start. */
  readonly processes: readonly NotedProcess[]
}

const pathIn = (folder: string) => join(folder, 'running.json')

/** Undefined: nothing was ever started in this folder. */
export function readNoted(folder: string): Noted | undefined {
  try {
    return JSON.parse(readFileSync(pathIn(folder), 'utf8')) as Noted
  } catch {
    return undefined
  }
}

export function writeNoted(folder: string, noted: Noted): void {
  const draft = `${pathIn(folder)}.new`
  writeFileSync(draft, `${JSON.stringify(noted, undefined, 2)}\n`)
  renameSync(draft, pathIn(folder))
}

export function stillRunning(noted: Noted): NotedProcess[] {
  return noted.processes.filter(({ pid, birth }) => birthOf(pid) === birth)
}
