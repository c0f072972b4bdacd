// What the admin API works with, put together once.

import type { CellName } from '../../cells/model/placement.ts'
import type { SlotsQuery, SlotsReport } from '../../cells/ports/cell-client.ts'
import type { Clock } from '../../cells/ports/clock.ts'
import type { ControlStore } from '../../cells/ports/control-store.ts'
import type { CellReport } from '../cell/cell-report.ts'
import type { CellReader } from '../gateway/cell-reader.ts'
import type { ConsistencyTokens } from '../gateway/consistency-tokens.ts'
import type { FrontDesk } from '../gateway/front-desk.ts'
import type { Router } from '../router/router.ts'

export type AdminDesk = {
  readonly front: FrontDesk
  readonly router: Router
  readonly reader: CellReader
  readonly tokens: ConsistencyTokens
  readonly clusterId: bigint
  readonly partitionsPerTopic: number
  readonly version: string
  readonly reports: () => readonly CellReport[]
  readonly clock: Clock
  readonly control: ControlStore
  /** What a cell reports of its slots; undefined when it does not answer. */
  readonly reportOf: (cell: CellName, query?: SlotsQuery) => Promise<SlotsReport | undefined>
}

const UINT32_MAX = 0xffff_ffff

/** A figure that a uint32 field can hold: that and more is its greatest. */
export function uint32(value: number): number {
  return Math.min(Math.max(0, Math.round(value)), UINT32_MAX)
}
