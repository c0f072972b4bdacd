// The placement as it stands in the control store: one document, replaced as a whole by compare-and-set.

import { termOf } from '../../cells/model/move.ts'
import type { Move, MovePhase, Pin, Placement, WantedPin } from '../../cells/model/placement.ts'
import type { PlacementChange } from '../../cells/model/placement-change.ts'
import { bytesOfKey, keyOfBytes } from '../cell/cell-messages.ts'
import {
  Change as ChangeMessage,
  type Move as MoveMessage,
  MovePhase as WirePhase,
  type Pin as PinMessage,
  Placement as PlacementMessage,
} from '../../gen/cellfeed/internal/v1/placement.ts'

export const PLACEMENT_KEY = 'placement'

export type PlacementDocument = {
  readonly clusterId: bigint
  readonly placement: Placement
  /** What made it; undefined of a cluster's first one. */
  readonly change?: PlacementChange
}

export function encodePlacement(document: PlacementDocument): Uint8Array {
  const { clusterId, placement, change } = document
  return PlacementMessage.encode({
    clusterId,
    epoch: BigInt(placement.epoch),
    slots: placement.slots,
    ranges: placement.ranges.map((range) => ({ ...range })),
    pins: placement.pins.map(wirePin),
    cells: [...placement.cells],
    moves: placement.moves.map(wireMove),
    standbys: [...placement.standbys],
    change: change && wireChange(change),
  }).finish()
}

/** What was read last: whoever looks often finds the same. */
let newest: { readonly bytes: Uint8Array; readonly document: PlacementDocument } | undefined

/** Throws when the document is not one that covers every slot exactly once. */
export function decodePlacement(bytes: Uint8Array): PlacementDocument {
  if (newest !== undefined && Buffer.compare(bytes, newest.bytes) === 0) return newest.document
  const document = decode(bytes)
  newest = { bytes: bytes.slice(), document }
  return document
}

function decode(bytes: Uint8Array): PlacementDocument {
  const message = PlacementMessage.decode(bytes)
  const ranges = message.ranges.map(({ first, last, cell, term }) => ({ first, last, cell, term }))
  const owners = [...new Set(ranges.map(({ cell }) => cell))]
  const placement: Placement = {
    epoch: Number(message.epoch),
    slots: message.slots,
    ranges,
    cells: message.cells.length === 0 ? owners : message.cells,
    moves: message.moves.map(moveOf),
    standbys: message.standbys.map(({ cell, standby }) => ({ cell, standby })),
    pins: message.pins.map((pin) => ({ ...pinOf(pin), term: pin.term })),
  }
  assertCovers(placement)
  const change = message.change && changeOf(message.change)
  return { clusterId: message.clusterId, placement, ...(change === undefined ? {} : { change }) }
}

export function encodeChange(change: PlacementChange): Uint8Array {
  return ChangeMessage.encode(wireChange(change)).finish()
}

export function decodeChange(bytes: Uint8Array): PlacementChange {
  return changeOf(ChangeMessage.decode(bytes))
}

function wireChange({ epoch, previous, atMs, by, what }: PlacementChange): ChangeMessage {
  return { epoch: BigInt(epoch), previous: BigInt(previous), atMs: BigInt(atMs), by, what }
}

function changeOf({ epoch, previous, atMs, by, what }: ChangeMessage): PlacementChange {
  return { epoch: Number(epoch), previous: Number(previous), atMs: Number(atMs), by, what }
}

function wirePin({ user, slot, term }: Pin): PinMessage {
  return { userHash: bytesOfKey(user), slot, term }
}

function pinOf({ userHash, slot }: PinMessage): WantedPin {
  const user = keyOfBytes(userHash)
  if (user === undefined) throw new Error(`the placement pins nobody to slot ${slot}`)
  return { user, slot }
}

const WIRE_PHASES = {
  preparing: WirePhase.PREPARING,
  copying: WirePhase.COPYING,
  verifying: WirePhase.VERIFYING,
  differs: WirePhase.DIFFERS,
  ready: WirePhase.READY,
  retiring: WirePhase.RETIRING,
} as const

function wireMove(move: Move): MoveMessage {
  const { id, slots, pins, from, to, phase, isStandby, isPaused } = move
  return {
    id: BigInt(id),
    slots: [...slots],
    pins: pins.map((pin) => wirePin({ ...pin, term: 0 })),
    from,
    to,
    phase: WIRE_PHASES[phase.kind],
    term: termOf(move) ?? 0,
    detail: phase.kind === 'differs' ? phase.detail : '',
    left: phase.kind === 'retiring' ? [...phase.left] : [],
    sinceMs: BigInt(phase.kind === 'retiring' ? phase.sinceMs : 0),
    isTakeover: phase.kind === 'retiring' && phase.isTakeover,
    isStandby,
    isPaused,
  }
}

function moveOf(message: MoveMessage): Move {
  const { from, to, isStandby, isPaused } = message
  return {
    id: Number(message.id),
    slots: message.slots.map(({ first, last }) => ({ first, last })),
    pins: message.pins.map(pinOf),
    from,
    to,
    isStandby,
    isPaused,
    phase: phaseOf(message),
  }
}

function phaseOf({ phase, term, detail, left, sinceMs, isTakeover }: MoveMessage): MovePhase {
  switch (phase) {
    case WirePhase.PREPARING:
      return { kind: 'preparing' }
    case WirePhase.COPYING:
      return { kind: 'copying' }
    case WirePhase.VERIFYING:
      return { kind: 'verifying', term }
    case WirePhase.DIFFERS:
      return { kind: 'differs', term, detail }
    case WirePhase.READY:
      return { kind: 'ready', term }
    case WirePhase.RETIRING: {
      const ranges = left.map(({ first, last, cell, term: old }) => ({
        first,
        last,
        cell,
        term: old,
      }))
      return { kind: 'retiring', left: ranges, sinceMs: Number(sinceMs), isTakeover }
    }
    case WirePhase.UNSPECIFIED:
    case WirePhase.UNRECOGNIZED:
      throw new Error('the placement has a move in a phase that a newer version made')
  }
}

function assertCovers({ ranges, slots, pins }: Placement): void {
  const pinned = new Set(pins.map(({ slot }) => slot))
  let next = 0
  let own = 0
  for (const { first, last: end } of ranges) {
    if (first < next || end < first) throw new Error(`the placement names slot ${first} twice`)
    if (first > next && next < slots) throw leftOut(next)
    for (let slot = Math.max(first, slots); slot <= end; slot++, own++) {
      if (!pinned.has(slot)) throw new Error(`slot ${slot} of the placement is of no pinned user`)
    }
    next = end + 1
  }
  if (next < slots) throw leftOut(next)
  if (own !== pinned.size) throw new Error('the placement leaves the slot of a pinned user out')
}

function leftOut(slot: number): Error {
  return new Error(`the placement leaves slot ${slot} to nobody`)
}
