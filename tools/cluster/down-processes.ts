// Stops exactly the processes that were started, in the reverse order: who answers clients first, the engines last.

import { setTimeout as wait } from 'node:timers/promises'
import { type NotedProcess, readNoted, stillRunning, writeNoted } from './cluster-state.ts'
import { birthOf } from './process-birth.ts'

const LOOK_EVERY_MS = 50
const STOP_WITHIN_MS = 40_000

/** Nothing to stop is no mistake. */
export async function downProcesses(folder: string, say: (line: string) => void): Promise<void> {
  const noted = readNoted(folder)
  const running = noted === undefined ? [] : stillRunning(noted)
  if (noted === undefined || running.length === 0) {
    say(`nothing of ${folder} runs`)
    return
  }
  for (const one of running.toReversed()) say(`  ${one.name} ${await stop(one)}`)
  writeNoted(folder, { ...noted, processes: [] })
}

async function stop({ pid, birth }: NotedProcess): Promise<'stopped' | 'killed'> {
  const isGone = () => birthOf(pid) !== birth
  process.kill(-pid, 'SIGTERM')
  const deadlineMs = performance.now() + STOP_WITHIN_MS
  while (!isGone()) {
    if (performance.now() > deadlineMs) {
      process.kill(-pid, 'SIGKILL')
      return 'killed'
    }
    await wait(LOOK_EVERY_MS)
  }
  return 'stopped'
}
