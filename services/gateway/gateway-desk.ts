// What every service of a gateway works with, put together once.

import type { CellLimits } from '../../cells/model/cell-limits.ts'
import { largerOf, type Position } from '../../cells/model/position.ts'
import type { Clock } from '../../cells/ports/clock.ts'
import type { Firehose } from '../../cells/ports/firehose.ts'
import type { Homes } from '../router/router-service.ts'
import type { CellReader } from './cell-reader.ts'
import type { ConsistencyTokens } from './consistency-tokens.ts'
import type { EventWriter } from './event-writer.ts'
import type { FrontDesk } from './front-desk.ts'
import type { GatewayLimits } from './gateway-limits.ts'
import type { OpenedPage, PageTokens } from './page-tokens.ts'

/** What reads of dashboards need, at a gateway and at a cell alike. */
export type DashboardDesk = Pick<
  GatewayDesk,
  'front' | 'clock' | 'tokens' | 'pages' | 'limits' | 'cellLimits'
> & { readonly reader: Pick<CellReader, 'asViewer'> }

export type GatewayDesk = {
  readonly front: FrontDesk
  readonly reader: CellReader
  readonly homes: Homes
  readonly writer: EventWriter
  readonly firehose: Firehose
  readonly clock: Clock
  readonly tokens: ConsistencyTokens
  readonly pages: PageTokens
  readonly limits: GatewayLimits
  readonly cellLimits: CellLimits
}

/** What a read must not be older than: its tokens, and what the page before it had seen. */
export function seenBefore(
  desk: Pick<GatewayDesk, 'tokens'>,
  consistencyTokens: readonly string[],
  page?: OpenedPage,
): Position {
  const seen = desk.tokens.readAll(consistencyTokens)
  return page === undefined ? seen : largerOf(seen, page.seen)
}
