// The promise of a move to those who read: no read fails because of it. One may fail whose cell was killed: from kill -9 until
// it answers again. Any other that failed breaks the promise.

import type { TimedRead } from './timed-reads.ts'

/** Of a process that was killed. */
export type Outage = {
  /** Undefined: nobody was answered. */
  readonly cells: readonly string[] | undefined
  readonly killedMs: number
  /** When it answered again. */
  readonly answeredMs: number
}

/** What is known of where users live. */
export type Whereabouts = {
  /** The cells that may have been asked for the user in that time. */
  readonly homes: (user: string, fromMs: number, toMs: number) => readonly string[]
  /** Whether their home may have changed in that time; of nobody: anybody's. */
  readonly mayMove: (user: string | undefined, fromMs: number, toMs: number) => boolean
}

export type ReadsJudged = {
  /** Of reads whose cell was up, in milliseconds. */
  readonly latenciesMs: number[]
  /** Those of them whose user may have been moving just then; and of other users at the same time, which compare with them. */
  readonly atCutoverMs: number[]
  readonly besideCutoverMs: number[]
  /** Of reads whose cell was down for some of the time. */
  readonly answeredInOutage: number
  readonly failedInOutage: number
  readonly wrongs: TimedRead[]
}

export function judgeReads(
  reads: readonly TimedRead[],
  outages: readonly Outage[],
  whereabouts: Whereabouts,
): ReadsJudged {
  const latenciesMs: number[] = []
  const atCutoverMs: number[] = []
  const besideCutoverMs: number[] = []
  const wrongs: TimedRead[] = []
  let answeredInOutage = 0
  let failedInOutage = 0
  for (const read of reads) {
    const isAnswered = read.failure === undefined
    if (outages.some((outage) => meets(read, outage, whereabouts))) {
      if (isAnswered) answeredInOutage += 1
      else failedInOutage += 1
    } else if (isAnswered) {
      const { viewer, fromMs, toMs } = read
      latenciesMs.push(toMs - fromMs)
      if (viewer !== undefined && whereabouts.mayMove(undefined, fromMs, toMs)) {
        const isMoving = whereabouts.mayMove(viewer, fromMs, toMs)
        const latencies = isMoving ? atCutoverMs : besideCutoverMs
        latencies.push(toMs - fromMs)
      }
    } else wrongs.push(read)
  }
  return { latenciesMs, atCutoverMs, besideCutoverMs, answeredInOutage, failedInOutage, wrongs }
}

function meets(
  { viewer, fromMs, toMs }: TimedRead,
  { cells, killedMs, answeredMs }: Outage,
  { homes }: Whereabouts,
): boolean {
  if (toMs < killedMs || answeredMs < fromMs) return false
  if (cells === undefined) return true
  if (viewer === undefined) return false
  return homes(viewer, fromMs, toMs).some((cell) => cells.includes(cell))
}
