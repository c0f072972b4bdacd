// One ask, one reply: finds the link, counts what is in flight, cancels when the caller's signal aborts. A call that was not
// sent when its link broke is made once more on the next one.

import type { UserKey } from '../../cells/model/user-key.ts'
import type { Call } from '../../cells/ports/cell-client.ts'
import type { Clock } from '../../cells/ports/clock.ts'
import type { Ask } from '../../gen/cellfeed/internal/v1/cell_service.ts'
import { bytesOfKey } from '../cell/cell-messages.ts'
import type { CellStreamLimits } from '../cell/cell-stream-limits.ts'
import { bytesOfPosition } from '../cell/position-bytes.ts'
import type { CellReply } from '../cell/reply-codec.ts'
import type { CellConnection } from './cell-connection.ts'
import { CellLink } from './cell-link.ts'
import { CellUnavailable } from './router.ts'

/** A call of a viewer, or of nobody. */
export type Asked = Omit<Call, 'viewer' | 'epoch'> & {
  readonly viewer: UserKey | undefined
  readonly epoch?: number | undefined
}
export type AskCall = NonNullable<Ask['call']>
type AskerParts = { readonly clock: Clock; readonly limits: CellStreamLimits }

/** As many calls as may be in flight to one cell are. */
export class CellBusy extends Error {
  readonly code = 'CELL_BUSY'
  override readonly name = 'CellBusy'
}

export class Asker {
  readonly #connection: CellConnection
  readonly #parts: AskerParts
  #inFlight = 0

  constructor(connection: CellConnection, parts: AskerParts) {
    this.#connection = connection
    this.#parts = parts
  }

  get limits(): CellStreamLimits {
    return this.#parts.limits
  }

  /** Throws CellUnavailable, CellBusy. */
  async ask(asked: Asked, call: AskCall): Promise<CellReply> {
    if (this.#inFlight >= this.#parts.limits.callsInFlightMax) {
      throw new CellBusy('too many calls to one cell are in flight')
    }
    this.#inFlight++
    try {
      const reply = await this.#send(await this.link(asked.signal), asked, call)
      return reply ?? (await this.#again(asked, call))
    } finally {
      this.#inFlight--
    }
  }

  /** Throws CellUnavailable. */
  async link(signal: AbortSignal): Promise<CellLink> {
    const link = this.#connection.link()
    return link instanceof CellLink ? link : orAborted(link, signal)
  }

  /** Calls `late` some time after the signal aborts, unless what it answers with is called before. */
  onAbort(signal: AbortSignal, cancel: () => void, late: () => void): () => void {
    let isReleased = false
    const waited = async () => {
      cancel()
      await this.#parts.clock.sleep(this.#parts.limits.cancelGraceMs)
      if (!isReleased) late()
    }
    const aborted = () => void waited()
    signal.addEventListener('abort', aborted)
    if (signal.aborted) aborted()
    return () => {
      isReleased = true
      signal.removeEventListener('abort', aborted)
    }
  }

  async #again(asked: Asked, call: AskCall): Promise<CellReply> {
    const reply = await this.#send(await this.link(asked.signal), asked, call)
    if (reply === undefined) throw new CellUnavailable('the connection to the cell broke twice')
    return reply
  }

  /** Undefined when the link broke before the call was sent. */
  #send(link: CellLink, asked: Asked, call: AskCall): Promise<CellReply | undefined> {
    return new Promise((resolve, reject) => {
      const id = link.ask(askOf(asked, call), {
        reply: (reply) => {
          link.forget(id)
          release()
          resolve(reply)
        },
        broken: (error, sent) => {
          release()
          if (sent) reject(error)
          else resolve(undefined)
        },
      })
      const release = this.onAbort(
        asked.signal,
        () => link.cancel(id),
        () => {
          link.forget(id)
          reject(new CellUnavailable('the cell did not answer in time'))
        },
      )
    })
  }
}

export function askOf({ viewer, epoch = 0, seen }: Asked, call: AskCall): Omit<Ask, 'id'> {
  return { viewer: bytesOfKey(viewer), epoch, seen: bytesOfPosition(seen), call }
}

async function orAborted(link: Promise<CellLink>, signal: AbortSignal): Promise<CellLink> {
  let abort = () => {}
  const aborted = new Promise<undefined>((resolve) => {
    abort = () => resolve(undefined)
    signal.addEventListener('abort', abort)
    if (signal.aborted) abort()
  })
  try {
    const found = await Promise.race([link, aborted])
    if (found !== undefined) return found
    throw new CellUnavailable('the cell could not be reached in time')
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
