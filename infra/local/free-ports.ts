// Ports for servers that are stopped and started again at the same address.
//
// They lie below the range from which systems pick the near end of outgoing connections. From inside that range a port
// could be lost while its server is down: to any connection, even to a client that asks for this very port.

import { once } from 'node:events'
import { createServer, type Server } from 'node:net'

const FIRST = 20_000
const LAST = 31_999
const ATTEMPTS_MAX = 1_000

/** So many different ports of 127.0.0.1 that nobody listens on now. */
export async function freePorts(count: number): Promise<number[]> {
  const held: Server[] = []
  const ports: number[] = []
  try {
    for (let attempt = 0; ports.length < count; attempt++) {
      if (attempt === ATTEMPTS_MAX) throw new Error(`no ${count} free ports on 127.0.0.1`)
      const port = FIRST + Math.floor(Math.random() * (LAST - FIRST + 1))
      const server = await listenOn(port)
      if (server === undefined) continue
      held.push(server)
      ports.push(port)
    }
  } finally {
    await Promise.all(held.map(close))
  }
  return ports
}

export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1)
  return port
}

export async function isFree(port: number): Promise<boolean> {
  const server = await listenOn(port)
  if (server !== undefined) await close(server)
  return server !== undefined
}

async function listenOn(port: number): Promise<Server | undefined> {
  const server = createServer().listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
    return server
  } catch {
    return undefined
  }
}

async function close(server: Server): Promise<void> {
  server.close()
  await once(server, 'close')
}
