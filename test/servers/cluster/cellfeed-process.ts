// One process of a cluster (`cellfeed cell`, `gateway`, ...) as a child: started and found ready by its own line, stopped, killed,
// stood still, started again with the same flags. It does not outlive the tests.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type Guard, guard } from '../../../infra/local/guard.ts'
import { cliPath } from '../../../tools/demo/cluster-process.ts'

/** By their names, without dashes. */
export type Flags = Readonly<Record<string, string | number>>
export type ProcessCommand = 'cell' | 'gateway' | 'controller' | 'router'

export type Ended = { readonly code: number | null; readonly out: string; readonly err: string }

/** An idle machine needs two seconds; tests must not fail because it is busy. */
const READY_WITHIN_MS = 180_000
const STOP_WITHIN_MS = 60_000

type Running = {
  readonly child: ChildProcess
  readonly guard: Guard
  readonly ended: Promise<Ended>
}

export class CellfeedProcess {
  readonly command: ProcessCommand
  readonly flags: Flags
  #running: Running | undefined

  constructor(command: ProcessCommand, flags: Flags) {
    this.command = command
    this.flags = flags
  }

  get address(): string {
    return `127.0.0.1:${this.flags['port']}`
  }

  get statusUrl(): string {
    return `http://127.0.0.1:${this.flags['status-port']}`
  }

  /** How it ended, when it does. */
  get ended(): Promise<Ended> {
    return this.#now().ended
  }

  /** Resolves when it says that it is ready. */
  async start(): Promise<void> {
    const argv = [cliPath, this.command, ...argvOf(this.flags)]
    const child = spawn(process.execPath, argv, {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    const { pid, stdout, stderr } = child
    if (pid === undefined || stdout === null || stderr === null) throw new Error('not started')
    const said = { out: '', err: '' }
    let ready: () => void = () => {}
    const isReady = new Promise<'ready'>((resolve) => {
      ready = () => resolve('ready')
    })
    stdout.on('data', (chunk: Buffer) => {
      said.out += chunk.toString()
      if (said.out.includes('ready: ')) ready()
    })
    stderr.on('data', (chunk: Buffer) => {
      said.err += chunk.toString()
    })
    const watching = guard(pid)
    const ended = once(child, 'close').then((): Ended => {
      watching.end()
      this.#running = undefined
      return { code: child.exitCode, ...said }
    })
    this.#running = { child, guard: watching, ended }
    const late = setTimeout(() => child.kill('SIGKILL'), READY_WITHIN_MS)
    const first = await Promise.race([isReady, ended])
    clearTimeout(late)
    if (first !== 'ready') {
      throw new Error(`cellfeed ${this.command} ended with ${first.code}: ${first.out}${first.err}`)
    }
  }

  /** Lets it end its work; kills it if it does not. */
  async stop(): Promise<Ended | undefined> {
    const running = this.#running
    if (running === undefined) return undefined
    running.child.kill('SIGCONT')
    running.child.kill('SIGTERM')
    const late = setTimeout(() => running.child.kill('SIGKILL'), STOP_WITHIN_MS)
    const ended = await running.ended
    clearTimeout(late)
    return ended
  }

  /** kill -9: nothing saved, nothing closed. */
  async kill(): Promise<void> {
    const running = this.#running
    running?.child.kill('SIGKILL')
    await running?.ended
  }

  async restart(): Promise<void> {
    await this.kill()
    await this.start()
  }

  /** It keeps its connections and answers nothing until `resume`. */
  pause(): void {
    this.#now().child.kill('SIGSTOP')
  }

  resume(): void {
    this.#now().child.kill('SIGCONT')
  }

  /** Of its status page, and what it says. */
  async status(path: string): Promise<{ readonly code: number; readonly text: string }> {
    const answer = await fetch(`${this.statusUrl}${path}`)
    return { code: answer.status, text: await answer.text() }
  }

  #now(): Running {
    if (this.#running === undefined) throw new Error(`cellfeed ${this.command} does not run`)
    return this.#running
  }
}

export function argvOf(flags: Flags): string[] {
  return Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)])
}
