// How fast moves are copied, and how long that will still take, from what they report from time to time.

import type { Move } from '../../client/move-calls.ts'
import { duration } from '../human-time.ts'
import { bytes, count } from '../print.ts'

type Sample = { readonly atMs: number; readonly part: number; readonly readers: number }

/** The rate is that of the last moments: a copy slows down when its source is busy. */
const SPAN_MS = 5_000

export class CopyRate {
  readonly #samples = new Map<number, Sample[]>()

  /** Of all moves that are being copied, one line; empty when there are none. */
  note(moves: readonly Move[], nowMs: number): string {
    const copying = moves.filter(({ phase, isPaused }) => phase === 'COPYING' && !isPaused)
    const rates = copying.map((move) => this.#noteOne(move, nowMs))
    if (copying.length === 0) return ''
    const readers = copying.reduce((sum, { readersCopied }) => sum + readersCopied, 0n)
    const size = copying.reduce((sum, { bytesCopied }) => sum + bytesCopied, 0n)
    const part = copying.reduce((sum, { copiedPart }) => sum + copiedPart, 0) / copying.length
    const leftMs = Math.max(...rates.map((rate) => rate.leftMs))
    const perSecond = Math.round(rates.reduce((sum, rate) => sum + rate.readers, 0))
    const left = Number.isFinite(leftMs) ? `, ${duration(leftMs)} left` : ''
    return (
      `copying: ${Math.floor(part * 100)} %, ${count(readers, 'user')} (${bytes(size)}), ` +
      `${count(perSecond, 'user')}/s${left}`
    )
  }

  /** Readers a second; and how long it takes at this rate, infinite when nothing gets on. */
  #noteOne(move: Move, nowMs: number): { readonly readers: number; readonly leftMs: number } {
    const now = { atMs: nowMs, part: move.copiedPart, readers: Number(move.readersCopied) }
    const before = this.#samples.get(move.id) ?? []
    // One that starts over has less than before.
    const kept = before.filter(({ atMs, part }) => nowMs - atMs <= SPAN_MS && part <= now.part)
    this.#samples.set(move.id, [...kept, now])
    const [first = now] = kept
    const tookMs = nowMs - first.atMs
    const part = now.part - first.part
    if (tookMs === 0 || part <= 0) return { readers: 0, leftMs: Number.POSITIVE_INFINITY }
    return {
      readers: ((now.readers - first.readers) * 1_000) / tookMs,
      leftMs: ((1 - now.part) * tookMs) / part,
    }
  }
}
