// Asks a cell as a gateway would, and checks what holds for every answer: it is not older than the tokens it was given, nor than
// anything this cell ever answered before, also before a crash; and it shows nothing that the cell was not given yet.

import type { Told } from '../../cells/model/homes.ts'
import { homeSlotOf, ownerOf } from '../../cells/model/placement.ts'
import { eventsBetween, hasReached, type Position } from '../../cells/model/position.ts'
import type { UserKey } from '../../cells/model/user-key.ts'
import type { Answer } from '../../cells/ports/cell-client.ts'
import type { Span } from './belonging.ts'
import type { CellHost } from './cell-host.ts'
import type { SimulatedCell } from './simulated-cell.ts'
import { Violation } from './violation.ts'
import type { World } from './world.ts'

export type Heard<T> =
  | { readonly kind: 'ok'; readonly value: T; readonly position: Position; readonly span: Span }
  | ({ readonly kind: 'moved' } & Told)
  | { readonly kind: 'late' }
  /** The cell was down, went down meanwhile, or its store failed. */
  | { readonly kind: 'lost' }

export type Question = {
  /** For the trace and the tally. */
  readonly name: string
  readonly seen: Position
  readonly deadlineMs: number
  /** By which epoch of the placement the cell is asked. */
  readonly epoch?: number
  /** Whose cell is asked: it must be the owner by a placement that it, or who asks, knows. */
  readonly viewer?: UserKey
}

type Base = { readonly seen: Position; readonly epoch: number; readonly signal: AbortSignal }
const LOST = { kind: 'lost' } as const

export async function ask<T>(
  world: World,
  host: CellHost,
  question: Question,
  call: (cell: SimulatedCell, base: Base) => Promise<Answer<T>>,
): Promise<Heard<T>> {
  const running = host.serving
  if (running === undefined) return LOST
  const { process, cell, log } = running
  const { epoch = 0 } = question
  world.trace.line(`  ${host.name} is asked ${question.name} for ${question.seen.join()}`)
  const faultsBefore = process.faults
  const knownBefore = process.knownEpoch
  const answeredBefore = host.answered
  const deadline = new AbortController()
  const timer = world.scheduler.after(question.deadlineMs * 1000, 'deadline', () =>
    deadline.abort(),
  )
  const outcome = await Promise.race([
    call(cell, { seen: question.seen, epoch, signal: deadline.signal }).then(
      (answer) => ({ answer, delivered: log.delivered, shown: host.shownBy(running) }),
      (error: unknown) => ({ error }),
    ),
    process.died,
  ])
  timer.isCancelled = true
  if (outcome === undefined || host.serving !== running) return LOST
  if ('error' in outcome) {
    if (process.faults > faultsBefore) {
      world.tally.add('step: read failed by a fault')
      return LOST
    }
    const { error } = outcome
    const got = error instanceof Error ? error.stack : String(error)
    throw new Violation(`${question.name} failed although nothing else did`, { got })
  }
  const { answer, delivered, shown } = outcome
  if (answer.kind === 'moved') return answer
  if (answer.kind === 'late') {
    checkLate(question, answer, {
      signal: deadline.signal,
      mayWait: running.wasSuspended || host.isGapOpen || epoch > process.knownEpoch,
    })
    world.tally.add('step: answered late')
    return { kind: 'late' }
  }
  const { position, value } = answer
  if (!hasReached(position, question.seen)) {
    const want = { seen: question.seen }
    throw new Violation(`${question.name} is older than its token`, { got: position, want })
  }
  if (!hasReached(position, answeredBefore)) {
    const want = { answeredBefore }
    throw new Violation(`${question.name} is older than an answer before it`, {
      got: position,
      want,
    })
  }
  if (!hasReached(delivered, position)) {
    throw new Violation(`${question.name} is newer than the log`, {
      got: position,
      want: delivered,
    })
  }
  if (question.viewer !== undefined) {
    checkOwner(world, host, {
      epochs: [knownBefore, process.knownEpoch, epoch],
      user: question.viewer,
    })
  }
  host.noteAnswered(position)
  world.trace.line(
    `  ${host.name} answers ${question.name} at ${position.join()} of ${delivered.join()}`,
  )
  const between = eventsBetween(position, shown)
  world.tally.add(
    between === 0 ? `${question.name} at a position` : `${question.name} during changes`,
  )
  return { kind: 'ok', value, position, span: { from: position, to: shown } }
}

function checkLate(
  question: Question,
  answer: { readonly missing: Position; readonly position: Position },
  { signal, mayWait }: { readonly signal: AbortSignal; readonly mayWait: boolean },
): void {
  const got = answer
  const want = question.seen
  if (!signal.aborted)
    throw new Violation(`${question.name} was late before its deadline`, { got, want })
  if (!mayWait && hasReached(answer.position, question.seen)) {
    throw new Violation(`${question.name} was late though it had reached the token`, { got, want })
  }
}

/** By one of the placements that the cell knew during the call, or by a newer one that the caller knew. */
function checkOwner(
  { control }: World,
  host: CellHost,
  { epochs, user }: { readonly epochs: readonly [number, number, number]; readonly user: UserKey },
): void {
  const [from, to, asked] = epochs
  const known = control.between(from, to)
  const newer = asked > from ? control.between(asked, asked) : []
  const isOwner = [...known, ...newer].some(
    (placement) => ownerOf(placement, homeSlotOf(placement, user)).cell === host.name,
  )
  if (isOwner) return
  throw new Violation(`cell ${host.name} answers for a user whose slot it does not own`, {
    got: epochs,
  })
}
