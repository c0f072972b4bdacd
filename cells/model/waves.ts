// A plan is carried out in waves: one slot, then four times as many each time, so that what goes wrong goes wrong for few users. After each
// wave a gate looks at how the cluster does, and says whether the next may begin.
//
//     wave ──> are its moves over? ──> do calls fail, do dashboards differ? ──> are reads slow, do cells lag? ──> next wave
//                  │ not yet: wait        │ stop                                   │ wait; for too long: stop

import type { PlannedSlot } from './balance.ts'
import { type CellName, runsOf, type SlotRun } from './placement.ts'

export type WaveMove = {
  readonly slots: readonly SlotRun[]
  readonly from: CellName
  readonly to: CellName
}

export type Wave = {
  readonly slotCount: number
  /** One for each pair of cells, to be under way at the same time. */
  readonly moves: readonly WaveMove[]
}

export const WAVE_SLOTS_MAX = 256
const GROWTH = 4

/** In the order of the plan, so the lightest slots go first. */
export function wavesOf(plan: readonly PlannedSlot[], slotsMax: number = WAVE_SLOTS_MAX): Wave[] {
  const waves: Wave[] = []
  let size = 1
  for (let at = 0; at < plan.length; at += size) {
    if (at > 0) size = Math.min(size * GROWTH, slotsMax)
    const part = plan.slice(at, at + size)
    waves.push({ slotCount: part.length, moves: movesOf(part) })
  }
  return waves
}

function movesOf(part: readonly PlannedSlot[]): WaveMove[] {
  const groups = new Map<string, { from: CellName; to: CellName; slots: number[] }>()
  for (const { slot, from, to } of part) {
    const key = `${from} ${to}`
    const group = groups.get(key) ?? { from, to, slots: [] }
    group.slots.push(slot)
    groups.set(key, group)
  }
  return [...groups.values()].map(({ from, to, slots }) => ({
    slots: runsOf(slots.sort((a, b) => a - b)),
    from,
    to,
  }))
}

/** How the cluster did since the wave began. */
export type WaveFigures = {
  /** Of the wave, not cut over yet. */
  readonly movesLeft: number
  /** Of the wave, aborted or rolled back by somebody. */
  readonly movesTakenBack: number
  /** Of the wave, stopped because the target shows something else. */
  readonly movesDiffering: number
  /** A second. */
  readonly calls: number
  readonly callsFailed: number
  readonly p99Ms: number
  /** Before the first wave. */
  readonly p99BeforeMs: number
  /** Cells that served before the first wave, and do not now. */
  readonly cellsGone: readonly CellName[]
  /** Of the cell that lags most. */
  readonly lagMs: number
  /** Since the wave's last move was cut over. */
  readonly waitedMs: number
}

export type GateLimits = {
  readonly callsFailedShareMax: number
  /** Of what it was before. */
  readonly p99TimesMax: number
  /** The p99 of fewer calls a second says nothing. */
  readonly p99CallsMin: number
  /** A p99 below this is well, whatever it was before. */
  readonly p99MsWell: number
  readonly lagMsMax: number
  readonly waitMsMax: number
}

export const GATE_LIMITS: GateLimits = {
  callsFailedShareMax: 0.001,
  p99TimesMax: 1.5,
  p99CallsMin: 10,
  p99MsWell: 10,
  lagMsMax: 5_000,
  waitMsMax: 300_000,
}

export type GateVerdict =
  | { readonly kind: 'go-on' }
  | { readonly kind: 'wait'; readonly why: string }
  | { readonly kind: 'stop'; readonly why: string }

export function gate(figures: WaveFigures, limits: GateLimits = GATE_LIMITS): GateVerdict {
  const wrong = wrongIn(figures, limits)
  if (wrong !== undefined) return { kind: 'stop', why: wrong }
  const { movesLeft, cellsGone, waitedMs } = figures
  if (movesLeft > 0) {
    const gone = cellsGone.length === 0 ? '' : `, and ${cellsGone.join(', ')} does not serve`
    return { kind: 'wait', why: `${movesLeft} moves are not over${gone}` }
  }
  const why = strainIn(figures, limits)
  if (why === undefined) return { kind: 'go-on' }
  if (waitedMs < limits.waitMsMax) return { kind: 'wait', why }
  return { kind: 'stop', why: `${why}, for ${Math.round(waitedMs / 1_000)} s` }
}

/** What waiting does not put right. */
function wrongIn(figures: WaveFigures, limits: GateLimits): string | undefined {
  const { movesDiffering, movesTakenBack, calls, callsFailed } = figures
  if (movesDiffering > 0) return `${movesDiffering} moves show something else than their source`
  if (movesTakenBack > 0) return `${movesTakenBack} moves were taken back`
  if (callsFailed > calls * limits.callsFailedShareMax) {
    return `${callsFailed} of ${calls} calls failed`
  }
  return undefined
}

/** What may pass. */
function strainIn(figures: WaveFigures, limits: GateLimits): string | undefined {
  const { calls, p99Ms, p99BeforeMs, lagMs, cellsGone } = figures
  if (cellsGone.length > 0) return `${cellsGone.join(', ')} does not serve`
  const p99MsMax = Math.max(limits.p99MsWell, p99BeforeMs * limits.p99TimesMax)
  if (calls >= limits.p99CallsMin && p99Ms > p99MsMax) {
    return `p99 is ${p99Ms.toFixed(1)} ms, it was ${p99BeforeMs.toFixed(1)} ms before`
  }
  if (lagMs > limits.lagMsMax) return `a cell is ${(lagMs / 1_000).toFixed(1)} s behind the log`
  return undefined
}
