// A cell in this process and the same cell behind the stream keep one contract.

import { CELL_STREAM_LIMITS } from '../../services/cell/cell-stream-limits.ts'
import { remoteCell, serveCell } from '../unit/services/router/cell-behind-stream.ts'
import { describeCellClientContract } from './cell-client-contract.ts'

const limits = CELL_STREAM_LIMITS

describeCellClientContract('in this process', async (cell) => ({
  client: cell,
  close: async () => {},
}))

describeCellClientContract('behind the stream', async (cell) => {
  const name = cell.cell
  const served = await serveCell(() => cell, { cell: name, limits })
  const client = remoteCell(() => served.address, { cell: name, limits })
  const close = async () => {
    client.close()
    served.stop()
  }
  return { client, close }
})
