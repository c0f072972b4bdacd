// The placement as it stands in the control store: one document, replaced as a whole by compare-and-set.

import { termOf } from '../../cells/model/move.ts'
import type { Move, MovePhase, Pin, Placement, WantedPin } from '../../cells/model/placement.ts'
import { slotsIn } from '../../cells/model/placement.ts'
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

/** Throws when the document is not one that covers every slot exactly once. */
export function decodePlacement(bytes: Uint8Array): PlacementDocument {
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
  const owned = slotsIn(ranges)
  const pinned = new Set(pins.map(({ slot }) => slot))
  const stranger = owned.find((slot, i) => slot <= (owned[i - 1] ?? -1))
  if (stranger !== undefined) throw new Error(`the placement names slot ${stranger} twice`)
  const there = new Set(owned)
  for (let slot = 0; slot < slots; slot++) {
    if (!there.has(slot)) throw new Error(`the placement leaves slot ${slot} to nobody`)
  }
  const isRight =
    owned.length === slots + pinned.size && [...pinned].every((slot) => there.has(slot))
  if (!isRight) throw new Error('the placement has other slots of pinned users than pins')
}
