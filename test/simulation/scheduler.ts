// Virtual time. Everything that would take time is a task in one queue, ordered by its moment and then by its turn; a step runs
// one task that wakes somebody, then lets every promise go as far as it can. Nothing else ever makes progress, so the same
// dice give the same run.

import type { Trace } from './trace.ts'

export type Task = {
  readonly atUs: number
  readonly turn: number
  readonly label: string
  readonly run: () => void
  /** A quiet task changes the outside world only (a row becomes durable): no promise waits for it. */
  readonly isQuiet: boolean
  isCancelled: boolean
}

export type TaskOptions = { readonly isQuiet?: boolean }

export class Scheduler {
  readonly #trace: Trace
  readonly #heap: Task[] = []
  #nowUs = 0
  #turn = 0
  #steps = 0

  constructor(trace: Trace) {
    this.#trace = trace
  }

  get nowUs(): number {
    return this.#nowUs
  }

  get steps(): number {
    return this.#steps
  }

  /** Runs the task after a delay in microseconds. */
  after(delayUs: number, label: string, run: () => void, options: TaskOptions = {}): Task {
    const task: Task = {
      atUs: this.#nowUs + Math.max(0, Math.round(delayUs)),
      turn: this.#turn++,
      label,
      run,
      isQuiet: options.isQuiet === true,
      isCancelled: false,
    }
    this.#push(task)
    return task
  }

  /** Runs up to and with the next task that wakes somebody. False when there is none. */
  async step(): Promise<boolean> {
    for (;;) {
      const task = this.#pop()
      if (task === undefined) return false
      if (task.isCancelled) continue
      this.#nowUs = task.atUs
      this.#trace.line(`${task.atUs} ${task.label}`)
      task.run()
      if (task.isQuiet) continue
      this.#steps++
      await settled()
      return true
    }
  }

  #push(task: Task): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(task)
    while (at > 0) {
      const parent = (at - 1) >>> 1
      const above = heap[parent] as Task
      if (isBefore(above, task)) break
      heap[at] = above
      at = parent
    }
    heap[at] = task
  }

  #pop(): Task | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || heap.length === 0) return first
    let at = 0
    for (;;) {
      let child = at * 2 + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Task, heap[child] as Task)) child++
      const below = heap[child] as Task
      if (isBefore(last, below)) break
      heap[at] = below
      at = child
    }
    heap[at] = last
    return first
  }
}

function isBefore(a: Task, b: Task): boolean {
  return a.atUs < b.atUs || (a.atUs === b.atUs && a.turn < b.turn)
}

/** When every promise that could go on has gone on. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
