// How fast moves are copied, and how long that will still take, from what they report from time to time.

import type { Move } from '../../client/move-calls.ts'
import { duration } from '../human-time.ts'
import { bytes, count } from '../print.ts'
import { Rate } from '../rate.ts'

export class CopyRate {
  readonly #rates = new Map<number, Rate>()

  /** Of all moves that are being copied, one line; empty when there are none. */
  note(moves: readonly Move[], nowMs: number): string {
    const copying = moves.filter(({ phase, isPaused }) => phase === 'COPYING' && !isPaused)
    const rates = copying.map((move) => this.#noteOne(move, nowMs))
    if (copying.length === 0) return ''
    const readers = copying.reduce((sum, { readersCopied }) => sum + readersCopied, 0n)
    const size = copying.reduce((sum, { bytesCopied }) => sum + bytesCopied, 0n)
    const part = copying.reduce((sum, { copiedPart }) => sum + copiedPart, 0) / copying.length
    const leftMs = Math.max(...rates.map((rate) => rate.leftMs))
    const perSecond = Math.round(rates.reduce((sum, rate) => sum + rate.perSecond, 0))
    const left = Number.isFinite(leftMs) ? `, ${duration(leftMs)} left` : ''
    return (
      `copying: ${Math.floor(part * 100)} %, ${count(readers, 'user')} (${bytes(size)}), ` +
      `${count(perSecond, 'user')}/s${left}`
    )
  }

  #noteOne({ id, copiedPart, readersCopied }: Move, nowMs: number) {
    const rate = this.#rates.get(id) ?? new Rate()
    this.#rates.set(id, rate)
    return rate.note({ part: copiedPart, count: Number(readersCopied) }, nowMs)
  }
}
