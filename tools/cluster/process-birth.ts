// Tells whether a process id still means the process it once meant: ids are used again, births are not.

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** When it began, in words of the system's own; undefined if it has ended. */
export function birthOf(pid: number): string | undefined {
  return process.platform === 'linux' ? birthOnLinux(pid) : birthByPs(pid)
}

function birthOnLinux(pid: number): string | undefined {
  const stat = statOf(pid)
  // After the program's name, which may hold anything: state, then numbers; the 20th is the start, in ticks since boot.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields?.[0] === 'Z' ? undefined : fields?.[19]
}

function statOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return undefined
  }
}

function birthByPs(pid: number): string | undefined {
  const said = spawnSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' })
  const [state = '', ...start] = said.stdout.trim().split(/\s+/)
  return state === '' || state.startsWith('Z') ? undefined : start.join(' ')
}
