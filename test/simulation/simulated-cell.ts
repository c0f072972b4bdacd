// What is simulated: a cell on the ports of a machine, as it is made for each incarnation.

import type { BodyCache } from '../../cells/ports/body-cache.ts'
import type { CellClient } from '../../cells/ports/cell-client.ts'
import type { CellLimits } from '../../cells/model/cell-limits.ts'
import type { CellName, Placement } from '../../cells/model/placement.ts'
import type { CellStore } from '../../cells/ports/cell-store.ts'
import type { Clock } from '../../cells/ports/clock.ts'
import type { Firehose } from '../../cells/ports/firehose.ts'
import type { Moving } from '../../cells/ports/placements.ts'
import type { UserKey } from '../../cells/model/user-key.ts'

export type CellPorts = {
  readonly firehose: Firehose
  readonly store: CellStore
  readonly cache: BodyCache
  readonly clock: Clock
  readonly monotonicMs: () => number
  readonly moving: Moving
}
export type CellOptions = {
  readonly name: CellName
  readonly boot: number
  readonly placement: Placement
  readonly limits: CellLimits
}

export type SimulatedCell = CellClient & {
  start(): Promise<void>
  stop(): Promise<void>
  suspend(): void
  readonly failure: Promise<Error>
  checkpoint(): Promise<void>
  writeGeneration(): Promise<void>
  setAuthorClass(author: UserKey, value: 'delivered' | 'pulled'): Promise<void>
}
export type MakeCell = (ports: CellPorts, options: CellOptions) => SimulatedCell
