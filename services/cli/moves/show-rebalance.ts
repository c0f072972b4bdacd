// What a rebalance tells, as lines for people or JSON for programs.

import type { BalancePlan, RebalanceEvent, RebalanceStopped } from '../../client/balance-calls.ts'
import type { Move } from '../../client/move-calls.ts'
import { duration } from '../human-time.ts'
import { count, harmless, jsonLine } from '../print.ts'
import type { Terminal } from '../terminal.ts'
import { lineOf, slotsIn } from './print-moves.ts'
import { planText } from './print-plan.ts'
import { ProgressLine } from './progress-line.ts'

type WaveDone = Extract<RebalanceEvent, { kind: 'wave-done' }>

export class ShowRebalance {
  readonly #terminal: Terminal
  readonly #isJson: boolean
  readonly #progress: ProgressLine
  /** Of the wave that is under way. */
  readonly #moves = new Map<number, Move>()
  #plan: BalancePlan | undefined
  #moved = 0n

  constructor(terminal: Terminal, isJson: boolean) {
    this.#terminal = terminal
    this.#isJson = isJson
    this.#progress = new ProgressLine(terminal)
  }

  show(event: RebalanceEvent): void {
    if (this.#isJson) this.#terminal.out(jsonLine(jsonOf(event)))
    else this.#tell(event)
  }

  #tell(event: RebalanceEvent): void {
    switch (event.kind) {
      case 'plan':
        this.#plan = event.plan
        return this.#line(planText(event.plan))
      case 'wave-begins':
        return this.#moves.clear()
      case 'move':
        return this.#tellMove(event.move)
      case 'waiting':
        return this.#tellWaiting(event.why)
      case 'wave-done':
        return this.#line(this.#doneText(event))
      case 'stopped':
        return this.#tellStopped(event)
    }
  }

  #tellMove(move: Move): void {
    const before = this.#moves.get(move.id)
    this.#moves.set(move.id, move)
    const isNew = before?.phase !== move.phase || before.detail !== move.detail
    if (isNew && move.detail !== '') this.#line(lineOf(move))
    this.#progress.show([...this.#moves.values()])
  }

  #tellWaiting(why: string): void {
    const { isInteractive, progress } = this.#terminal
    const isCopied = this.#progress.show([...this.#moves.values()])
    if (!isCopied && isInteractive) progress(`waiting: ${why}`)
  }

  #tellStopped({ reason, paused, back }: RebalanceStopped): void {
    this.#line(`stopped: ${reason}`)
    for (const id of paused) this.#line(`move ${id} is paused: cellfeed moves resume ${id}`)
    if (back.length > 0) this.#line(`to take the wave back: ${back.map(commandOf).join('; ')}`)
  }

  /** "wave 3 of 15: 8 slots, 12 users: moved in 2.1 s, 6 users/s; 1,200 users to go, 3 min at most". */
  #doneText({ wave, waves, tookMs, readersMoved }: WaveDone): string {
    const moves = this.#plan?.waves[wave - 1]?.moves ?? []
    const slots = moves.reduce((sum, move) => sum + slotsIn(move.slots), 0)
    const readers = readersMoved - this.#moved
    this.#moved = readersMoved
    const left = leftText({ readers, tookMs }, (this.#plan?.readers ?? 0n) - readersMoved)
    return (
      `wave ${wave} of ${waves}: ${count(slots, 'slot')}, ${count(readers, 'user')}: ` +
      `moved in ${duration(tookMs)}${left}`
    )
  }

  #line(line: string): void {
    this.#progress.clear()
    this.#terminal.out(harmless(line))
  }
}

function commandOf({ id, change }: RebalanceStopped['back'][number]): string {
  return `cellfeed moves ${change === 'roll-back' ? 'rollback' : 'abort'} ${id}`
}

function jsonOf(event: RebalanceEvent): object {
  switch (event.kind) {
    case 'plan':
      return { event: 'plan', ...event.plan }
    case 'move':
      return { event: event.move.phase === 'RETIRING' ? 'moved' : 'move', ...event.move }
    case 'stopped': {
      const { kind, back, ...stopped } = event
      return { event: kind, ...stopped, back: back.map(commandOf) }
    }
    case 'waiting':
    case 'wave-begins':
    case 'wave-done': {
      const { kind, ...facts } = event
      return { event: kind, ...facts }
    }
  }
}

/** At the rate of the last wave; later ones are larger, and faster than that. */
function leftText(
  wave: { readonly readers: bigint; readonly tookMs: number },
  left: bigint,
): string {
  if (left === 0n || wave.readers === 0n || wave.tookMs === 0) return ''
  const perMs = Number(wave.readers) / wave.tookMs
  const perSecond = count(Math.round(perMs * 1_000), 'user')
  return `, ${perSecond}/s; ${count(left, 'user')} to go, ${duration(Number(left) / perMs)} at most`
}
