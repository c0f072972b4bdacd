// One server as a child process: started and found ready by a real request, stopped, killed, paused, started again at
// the same address with the same data. It does not outlive the process that started it, unless told so.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isFree } from './free-ports.ts'
import { type Guard, guard } from './guard.ts'
import { HopelessError, untilAnswered } from './until-answered.ts'

export type ServerCommand = {
  readonly name: string
  readonly program: string
  readonly args: readonly string[]
  /** Working folder; what the server prints is appended to `<name>.log` in it. */
  readonly folder: string
  /** Resolves once the server has answered a request; may reject, and is then asked again. */
  readonly answers: () => Promise<void>
  /** Where it will listen. Taken by another program, that one would be found to answer. */
  readonly ports: readonly number[]
  readonly readyWithinMs: number
  /** If given, the server outlives its parent. */
  readonly adopt?: Adopt | undefined
}
/** Takes over a server as soon as it has a process id: it has to be stopped by it, also if it never gets ready. */
export type Adopt = (name: string, pid: number) => void
type Running = {
  readonly child: ChildProcess
  readonly pid: number
  readonly guard: Guard | undefined
  paused: boolean
}

const STOP_WITHIN_MS = 20_000
const LOG_LINES_SHOWN = 15

export class PortTakenError extends Error {
  readonly code = 'port-taken'

  constructor(name: string, port: number) {
    super(`${name}: port ${port} of 127.0.0.1 is taken by another program`)
    this.name = 'PortTakenError'
  }
}

export class LocalServer {
  readonly name: string
  readonly logPath: string
  readonly #command: ServerCommand
  #running: Running | undefined

  private constructor(command: ServerCommand) {
    this.name = command.name
    this.logPath = join(command.folder, `${command.name}.log`)
    this.#command = command
  }

  static async start(command: ServerCommand): Promise<LocalServer> {
    const server = new LocalServer(command)
    await server.start()
    return server
  }

  /** Undefined while it does not run. */
  get pid(): number | undefined {
    return this.#running?.pid
  }

  /** Starts it, or starts it again after stop, kill or its own end; ready when this resolves. */
  async start(): Promise<void> {
    if (this.#running !== undefined) throw new Error(`${this.name} runs already`)
    for (const port of this.#command.ports) {
      if (!(await isFree(port))) throw new PortTakenError(this.name, port)
    }
    const running = this.#spawn()
    this.#running = running
    try {
      await this.#untilReady()
    } catch (cause) {
      await this.kill()
      throw new Error(`${this.name} did not get ready. ${this.logPath} ends:\n${this.#logEnd()}`, {
        cause,
      })
    }
  }

  /** Asks it to end, and kills it if it takes too long. */
  async stop(): Promise<void> {
    const running = this.#running
    if (running === undefined) return
    this.resume()
    signal(running, 'SIGTERM')
    const tooLate = setTimeout(() => signal(running, 'SIGKILL'), STOP_WITHIN_MS)
    await ended(running.child)
    clearTimeout(tooLate)
  }

  /** kill -9: nothing saved, nothing closed. */
  async kill(): Promise<void> {
    const running = this.#running
    if (running === undefined) return
    signal(running, 'SIGKILL')
    await ended(running.child)
  }

  /** SIGSTOP: it keeps its connections and answers nothing until `resume`. */
  pause(): void {
    if (this.#running === undefined) throw new Error(`${this.name} does not run`)
    this.#running.paused = true
    signal(this.#running, 'SIGSTOP')
  }

  resume(): void {
    if (this.#running?.paused !== true) return
    this.#running.paused = false
    signal(this.#running, 'SIGCONT')
  }

  #spawn(): Running {
    const { name, program, args, folder, adopt } = this.#command
    mkdirSync(folder, { recursive: true })
    const log = openSync(this.logPath, 'a')
    const child = spawn(program, args, {
      cwd: folder,
      // A process group of its own: signals reach all of it, and Ctrl-C in a terminal does not.
      detached: true,
      stdio: ['ignore', log, log],
    })
    closeSync(log)
    const { pid } = child
    // Without a process id the start failed, and 'error' says why.
    if (pid === undefined) throw new Error(`${this.name}: ${program} could not be started`)
    const running: Running = {
      child,
      pid,
      guard: adopt === undefined ? guard(pid) : undefined,
      paused: false,
    }
    if (adopt !== undefined) {
      adopt(name, pid)
      child.unref()
    }
    child.once('exit', () => {
      running.guard?.end()
      if (this.#running === running) this.#running = undefined
    })
    return running
  }

  async #untilReady(): Promise<void> {
    const { answers, readyWithinMs } = this.#command
    await untilAnswered(async () => {
      if (this.#running === undefined) throw new HopelessError(`${this.name} ended`)
      await answers()
    }, readyWithinMs)
  }

  #logEnd(): string {
    return readFileSync(this.logPath, 'utf8').trim().split('\n').slice(-LOG_LINES_SHOWN).join('\n')
  }
}

function signal(running: Running, name: NodeJS.Signals): void {
  try {
    process.kill(-running.pid, name)
  } catch {
    // It has ended meanwhile.
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}
