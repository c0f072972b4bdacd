// A server that cannot be reached is said so, in time.

import { createServer, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { CassandraFailure, Session } from '../../../infra/cassandra/session.ts'

async function listening(onSocket: (socket: Socket) => void) {
  const server = createServer(onSocket)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const close = () => new Promise((resolve) => server.close(resolve))
  return { port: address.port, close }
}

const openAt = (port: number) =>
  Session.open(
    {
      contactPoints: [`127.0.0.1:${port}`],
      localDataCenter: 'east',
      prefix: 'feed',
      credentials: undefined,
      tls: undefined,
    },
    { timeoutMs: 50, connectTimeoutMs: 50 },
  )

test('nobody there: the failure names the contact points', async () => {
  const { port, close } = await listening(() => undefined)
  await close()
  const failure = await openAt(port).catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(CassandraFailure)
  expect(failure).toMatchObject({ code: 'STORE_UNAVAILABLE' })
  expect((failure as Error).message).toContain(`127.0.0.1:${port}`)
})

test('somebody there who never answers: opening fails at its deadline', async () => {
  const sockets: Socket[] = []
  const { port, close } = await listening((socket) => sockets.push(socket.resume()))
  await expect(openAt(port)).rejects.toThrow(CassandraFailure)
  for (const socket of sockets) socket.destroy()
  await close()
})
