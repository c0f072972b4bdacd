// What `make down` stops: exactly what was started, and no stranger that got an old process id.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import {
  type Noted,
  readNoted,
  stillRunning,
  writeNoted,
} from '../../../../tools/cluster/cluster-state.ts'
import { downProcesses } from '../../../../tools/cluster/down-processes.ts'
import { birthOf } from '../../../../tools/cluster/process-birth.ts'

function sleeper() {
  const child = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' })
  onTestFinished(() => void child.kill('SIGKILL'))
  const { pid = 0 } = child
  return { child, pid, birth: birthOf(pid) ?? 'none' }
}

function clusterOf(...processes: Noted['processes']): string {
  const folder = mkdtempSync(join(tmpdir(), 'cellfeed-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeNoted(folder, { engines: 'processes', cells: 2, processes })
  return folder
}

test('a process is known by its id and its birth', async () => {
  const { child, pid, birth } = sleeper()
  expect(birthOf(pid)).toBe(birth)
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(birthOf(pid)).toBeUndefined()
})

test('what is noted is found again, as far as it still runs', () => {
  const { pid, birth } = sleeper()
  const running = { name: 'kafka', pid, birth }
  const folder = clusterOf(running, { name: 'redis', pid, birth: 'another' })
  const noted = readNoted(folder)
  expect(noted?.cells).toBe(2)
  expect(noted && stillRunning(noted)).toEqual([running])
})

test('a folder where nothing was started tells of nothing', () => {
  expect(readNoted(join(tmpdir(), 'no-such-folder'))).toBeUndefined()
})

test('down stops what was started, the last one first, and nobody else', async () => {
  const [first, second, stranger] = [sleeper(), sleeper(), sleeper()]
  const ended: number[] = []
  for (const { child, pid } of [first, second]) child.once('exit', () => ended.push(pid))
  const folder = clusterOf(
    { name: 'kafka', pid: first.pid, birth: first.birth },
    { name: 'redis', pid: stranger.pid, birth: 'of another' },
    { name: 'gateway', pid: second.pid, birth: second.birth },
  )
  const said: string[] = []
  await downProcesses(folder, (line) => said.push(line.trim()))
  expect(said).toEqual(['gateway stopped', 'kafka stopped'])
  // Both may end in one turn of the event loop, and are told of in any order then.
  await expect.poll(() => new Set(ended)).toEqual(new Set([first.pid, second.pid]))
  expect(birthOf(stranger.pid)).toBe(stranger.birth)
  await downProcesses(folder, (line) => said.push(line))
  expect(said.at(-1)).toBe(`nothing of ${folder} runs`)
})
