// The firehose as one incarnation of a cell reads it: batches of random size from random partitions, late. It notes how far the
// cell was given the log, which bounds from above what any answer can show.

import type { Position } from '../../cells/model/position.ts'
import {
  type Appended,
  type Firehose,
  FirehoseGap,
  type FollowOptions,
  type LogBatch,
  type LogBounds,
  type LogIdentity,
} from '../../cells/ports/firehose.ts'
import type { CellProcess } from './cell-process.ts'
import type { EventLog } from './event-log.ts'
import type { Dice } from './random.ts'
import { known } from './violation.ts'

export class LogPort implements Firehose {
  readonly identity: LogIdentity
  readonly #process: CellProcess
  readonly #log: EventLog
  readonly #dice: Dice
  readonly #delivered: number[]
  #isOvertaken = false
  /** The follower that waits for the next append. */
  #waiting: (() => void) | undefined

  constructor(process: CellProcess, log: EventLog, dice: Dice) {
    this.identity = log.identity
    this.#process = process
    this.#log = log
    this.#dice = dice
    this.#delivered = new Array<number>(log.partitions).fill(0)
  }

  /** Nothing at or after these offsets can have reached the cell. */
  get delivered(): Position {
    return [...this.#delivered]
  }

  /** The cell's store reflects everything before this. */
  reflects(position: Position): void {
    for (const [partition, offset] of position.entries()) {
      this.#delivered[partition] = Math.max(offset, known(this.#delivered[partition], 'an offset'))
    }
  }

  /** Retention overtakes the reader: what it would read next is gone. */
  overtake(): void {
    this.#isOvertaken = true
    this.#waiting?.()
  }

  append(): Promise<Appended[]> {
    throw new Error('a cell never appends')
  }

  bounds(): Promise<LogBounds> {
    return this.#process.read('log.bounds', () => this.#log.bounds())
  }

  offsetsAt(timeMs: number): Promise<Position> {
    return this.#process.read('log.offsetsAt', () => this.#log.offsetsAt(timeMs))
  }

  fetch(partition: number, fromOffset: number, recordsMax: number): Promise<LogBatch> {
    const most = this.#dice.between(1, recordsMax)
    return this.#process.read('log.fetch', () => this.#give(partition, fromOffset, most))
  }

  follow(from: Position, options: FollowOptions): AsyncIterable<LogBatch> {
    const partitions = options.topic === 'public' ? this.#log.partitions / 2 : this.#log.partitions
    const next = Array.from({ length: partitions }, (_, partition) => from[partition] ?? 0)
    return { [Symbol.asyncIterator]: () => this.#follower(next, options) }
  }

  #follower(next: number[], options: FollowOptions): AsyncIterator<LogBatch> {
    let endNow: (() => void) | undefined
    const whenAborted = (): void => this.#process.later('log.follow ends', 0, () => endNow?.())
    options.signal.addEventListener('abort', whenAborted, { once: true })
    return {
      next: () =>
        new Promise<IteratorResult<LogBatch>>((resolve, reject) => {
          endNow = () => resolve(ENDED)
          const lookAgain = (): void => {
            const delayUs = this.#process.weather.delayUs('log.follow') * this.#process.weather.lag
            this.#process.later('log.follow', delayUs, () => {
              if (options.signal.aborted) resolve(ENDED)
              else this.#deliver(next, options, { resolve, reject, again: lookAgain })
            })
          }
          lookAgain()
        }),
      return: () => {
        options.signal.removeEventListener('abort', whenAborted)
        return Promise.resolve(ENDED)
      },
    }
  }

  #deliver(
    next: number[],
    options: FollowOptions,
    to: {
      readonly resolve: (result: IteratorResult<LogBatch>) => void
      readonly reject: (error: unknown) => void
      readonly again: () => void
    },
  ): void {
    if (this.#isOvertaken) {
      to.reject(new FirehoseGap('retention went past the reader'))
      return
    }
    try {
      for (const [partition, offset] of next.entries()) this.#log.assertInside(partition, offset)
    } catch (error) {
      to.reject(error)
      return
    }
    const end = this.#log.bounds().end
    const behind = next.flatMap((offset, partition) =>
      offset < (end[partition] ?? 0) ? [partition] : [],
    )
    if (behind.length === 0) {
      this.#waiting = to.again
      this.#log.onAppend(to.again)
      return
    }
    const partition = this.#dice.pick(behind)
    const offset = known(next[partition], 'an offset')
    const batch = this.#give(partition, offset, this.#dice.between(1, options.recordsMax))
    next[partition] = batch.nextOffset
    to.resolve({ done: false, value: batch })
  }

  #give(partition: number, fromOffset: number, recordsMax: number): LogBatch {
    const batch = this.#log.read(partition, fromOffset, recordsMax)
    const before = known(this.#delivered[partition], 'what was delivered')
    this.#delivered[partition] = Math.max(before, batch.nextOffset)
    return batch
  }
}

const ENDED: IteratorResult<LogBatch> = { done: true, value: undefined }
