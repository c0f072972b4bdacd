// Between a client and a server: passes bytes on, or holds them back until it may, as a server that is stopped does.

import { connect, createServer, type Server, type Socket } from 'node:net'

export class HoldingProxy {
  readonly port: number
  readonly #server: Server
  readonly #sockets: Set<Socket>

  static async start(target: string): Promise<HoldingProxy> {
    const { hostname, port } = new URL(`cql://${target}`)
    const sockets = new Set<Socket>()
    const server = createServer((client) => {
      const upstream = connect(Number(port), hostname)
      for (const [socket, other] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        sockets.add(socket)
        socket.on('data', (data) => other.write(data))
        socket.on('error', () => other.destroy())
        socket.on('close', () => {
          sockets.delete(socket)
          other.destroy()
        })
      }
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    return new HoldingProxy(server, sockets, address.port)
  }

  private constructor(server: Server, sockets: Set<Socket>, port: number) {
    this.#server = server
    this.#sockets = sockets
    this.port = port
  }

  hold(): void {
    for (const socket of this.#sockets) socket.pause()
  }

  release(): void {
    for (const socket of this.#sockets) socket.resume()
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
