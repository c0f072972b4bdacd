// Time on a core of several processes at once, also of servers that others started: they are found by the port they listen on.
// Linux only, as is /proc; elsewhere, and for servers in a container or on another machine, it says so instead of a figure.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

const TICKS_PER_SECOND = 100
const LISTENING = '0A'

/** Time on a core since the start; undefined where nobody says. */
type Spent = { readonly name: string; readonly seconds: number | undefined }

export class CpuMeter {
  readonly #processes: readonly { readonly name: string; readonly pid: number | undefined }[]
  #from: readonly (number | undefined)[] = []
  #fromMs = 0

  constructor(pids: Readonly<Record<string, number | undefined>>) {
    this.#processes = Object.entries(pids).map(([name, pid]) => ({ name, pid }))
    this.start()
  }

  start(): void {
    this.#from = this.#processes.map(({ pid }) => cpuSeconds(pid))
    this.#fromMs = performance.now()
  }

  /** For the table: per cent of one core since the start. */
  toString(): string {
    const wallSeconds = (performance.now() - this.#fromMs) / 1_000
    return this.#text((seconds) => `${Math.round((seconds / wallSeconds) * 100)} %`)
  }

  /** Of one core since the start; 0 where nobody says. */
  share(name: string): number {
    const { seconds = 0 } = this.#spent().find((spent) => spent.name === name) ?? {}
    return (seconds * 1_000) / (performance.now() - this.#fromMs)
  }

  /** For the table: what one of so many things took of a core. Says more than shares do on a machine that others use too. */
  each(count: number): string {
    return this.#text((seconds) => {
      const us = (seconds / count) * 1e6
      return `${us < 10 ? us.toFixed(1) : Math.round(us)} us`
    })
  }

  #text(figure: (seconds: number) => string): string {
    return this.#spent()
      .map(({ name, seconds }) => `${name} ${seconds === undefined ? '?' : figure(seconds)}`)
      .join(', ')
  }

  #spent(): Spent[] {
    return this.#processes.map(({ name, pid }, i) => {
      const from = this.#from[i]
      const now = cpuSeconds(pid)
      const isKnown = from !== undefined && now !== undefined
      return { name, seconds: isKnown ? now - from : undefined }
    })
  }
}

/** The process of this machine that listens on a port. */
export function pidListeningOn(port: number): number | undefined {
  const inodes = new Set(
    ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((path) => listening(path, port)),
  )
  if (inodes.size === 0) return undefined
  return everyPid().find((pid) => openFiles(pid).some((file) => inodes.has(file)))
}

function cpuSeconds(pid: number | undefined): number | undefined {
  const stat = pid === undefined ? '' : text(`/proc/${pid}/stat`)
  // The second field is the program's name in brackets, which may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const ticks = Number(fields[11]) + Number(fields[12])
  return Number.isFinite(ticks) ? ticks / TICKS_PER_SECOND : undefined
}

function listening(path: string, port: number): string[] {
  const end = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  return text(path)
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => local?.endsWith(end) === true && state === LISTENING)
    .map((fields) => `socket:[${fields[9]}]`)
}

function everyPid(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger)
  } catch {
    return []
  }
}

function openFiles(pid: number): string[] {
  const folder = `/proc/${pid}/fd`
  try {
    return readdirSync(folder).map((name) => link(`${folder}/${name}`))
  } catch {
    return []
  }
}

function link(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

function text(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
