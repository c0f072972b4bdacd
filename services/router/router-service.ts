// RouterService: the table of where users live, for clients that read from the cells themselves. Served by the router's process
// and by every gateway.

import type { CellName } from '../../cells/model/placement.ts'
import type {
  ListHomesResponse,
  RouterServiceService,
} from '../../gen/cellfeed/v1/router_service.ts'
import type { FrontDesk } from '../gateway/front-desk.ts'
import type { Handlers } from '../gateway/service-book.ts'
import type { Router } from './router.ts'

/** For health and reflection. */
export const ROUTER_SERVICE = 'cellfeed.v1.RouterService'

export type Homes = {
  readonly router: Pick<Router, 'placement'>
  /** host:port of a cell; undefined when it is not known, or not to be reached by clients. */
  readonly addressOf: (cell: CellName) => string | undefined
}

export function routerService(front: FrontDesk, homes: Homes): Handlers<RouterServiceService> {
  return { listHomes: front.unary('ListHomes', async () => listHomes(homes)) }
}

function listHomes({ router, addressOf }: Homes): ListHomesResponse {
  const { placement } = router
  const { epoch, slots, ranges } = placement
  return {
    epoch: BigInt(epoch),
    slots,
    ranges: ranges.map(({ first, last, cell }) => ({ first, last, cell })),
    cells: placement.cells.flatMap((cell) => {
      const address = addressOf(cell)
      return address === undefined ? [] : [{ cell, address }]
    }),
  }
}
