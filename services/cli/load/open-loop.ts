// Sends at times that do not depend on the answers, as users do, and measures each answer from the
// time it was meant to be sent: a server (or this process) that stalls is charged for everybody who
// would have waited meanwhile. (A loop that waits for each answer leaves these out: "coordinated
// omission", G. Tene, "How NOT to Measure Latency", 2013.)
//
// Bounded: at most `inFlightMax` calls are under way; further ones wait in line, their time running,
// up to `waitingMax`; those beyond are not sent, and counted.

export interface LoadKind {
  readonly name: string
  readonly perSecond: number
  readonly send: () => Promise<void>
}

export interface OpenLoopClock {
  readonly nowMs: () => number
  readonly waitMs: (ms: number) => Promise<void>
}

export interface OpenLoopOptions {
  readonly kinds: readonly LoadKind[]
  readonly durationMs: number
  readonly inFlightMax: number
  readonly waitingMax: number
  readonly pauseMs: (perSecond: number) => number
  readonly clock: OpenLoopClock
  readonly stopped: () => boolean
  /** Called once for each that was sent; `error` undefined: it succeeded. */
  readonly answered: (kind: LoadKind, latencyMs: number, error: unknown) => void
}

export interface OpenLoopResult {
  readonly elapsedMs: number
  /** By name of kind: meant to be sent, but the line was full. */
  readonly notSent: ReadonlyMap<string, number>
  readonly waitingPeak: number
}

interface Due {
  readonly kind: LoadKind
  readonly atMs: number
}

export async function runOpenLoop(options: OpenLoopOptions): Promise<OpenLoopResult> {
  const { clock, kinds } = options
  const startedMs = clock.nowMs()
  const endMs = startedMs + options.durationMs
  const notSent = new Map(kinds.map((kind) => [kind.name, 0]))
  const waiting: Due[] = []
  let waitingPeak = 0
  let inFlight = 0
  let drained = () => {}

  /** Sends one, and then those in line, one after another. */
  const work = async (first: Due) => {
    inFlight += 1
    for (let due: Due | undefined = first; due !== undefined; due = waiting.shift()) {
      const error = await failureOf(due.kind.send)
      options.answered(due.kind, clock.nowMs() - due.atMs, error)
    }
    inFlight -= 1
    if (inFlight === 0) drained()
  }
  const send = (due: Due) => {
    if (inFlight < options.inFlightMax) void work(due)
    else if (waiting.length < options.waitingMax) waiting.push(due)
    else notSent.set(due.kind.name, (notSent.get(due.kind.name) ?? 0) + 1)
    waitingPeak = Math.max(waitingPeak, waiting.length)
  }

  const schedules = kinds
    .filter((kind) => kind.perSecond > 0)
    .map((kind) => ({ kind, nextMs: startedMs + options.pauseMs(kind.perSecond) }))
  while (!options.stopped()) {
    const nowMs = clock.nowMs()
    for (const schedule of schedules) {
      while (schedule.nextMs <= Math.min(nowMs, endMs)) {
        send({ kind: schedule.kind, atMs: schedule.nextMs })
        schedule.nextMs += options.pauseMs(schedule.kind.perSecond)
      }
    }
    const nextMs = Math.min(endMs, ...schedules.map((schedule) => schedule.nextMs))
    if (nowMs >= endMs) break
    await clock.waitMs(Math.max(nextMs - nowMs, 0))
  }
  const elapsedMs = Math.min(clock.nowMs() - startedMs, options.durationMs)
  // Who is stopped does not wait for those in line.
  if (options.stopped()) waiting.length = 0
  if (inFlight > 0) {
    await new Promise<void>((resolve) => {
      drained = resolve
    })
  }
  return { elapsedMs, notSent, waitingPeak }
}

async function failureOf(send: () => Promise<void>): Promise<unknown> {
  try {
    await send()
    return undefined
  } catch (thrown) {
    return thrown ?? new Error('failed')
  }
}
