// The plain HTTP side of a process: /metrics for Prometheus, /healthz for whoever restarts it, and /healthz/ready for whoever
// sends it work.

import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { listenErrorOf } from './listen-error.ts'
import type { Metrics } from './metrics.ts'

export type StatusPage = { readonly port: number; stop(): Promise<void> }
export type Health = {
  /** Whether it works; one that does not is to be restarted. */
  readonly isLive: () => boolean
  /** Why it should get no work at the moment, one line each; none: it is ready. */
  readonly notReady: () => readonly string[]
}

export async function serveStatusPage(options: {
  readonly host: string
  readonly port: number
  readonly metrics: Metrics
  readonly health: Health
}): Promise<StatusPage> {
  const { host, port, metrics, health } = options
  const server = createServer((request, response) => {
    if (request.url === '/healthz') {
      const isLive = health.isLive()
      answer(response, isLive ? 200 : 503, isLive ? 'serving\n' : 'not serving\n')
    } else if (request.url === '/healthz/ready') {
      const why = health.notReady()
      if (why.length === 0) answer(response, 200, 'ready\n')
      else answer(response, 503, `${why.map((line) => `not ready: ${line}`).join('\n')}\n`)
    } else if (request.url === '/metrics') {
      void answerMetrics(response, metrics)
    } else {
      answer(response, 404, 'there is /metrics, /healthz and /healthz/ready\n')
    }
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenErrorOf(error, { host, port })))
    server.listen(port, host, () => resolve())
  })
  return {
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function answerMetrics(response: ServerResponse, metrics: Metrics): Promise<void> {
  try {
    const text = await metrics.text()
    response.setHeader('content-type', metrics.registry.contentType)
    response.end(text)
  } catch (error) {
    answer(response, 500, `${error instanceof Error ? error.message : 'failed'}\n`)
  }
}

function answer(response: ServerResponse, code: number, text: string): void {
  response.writeHead(code, { 'content-type': 'text/plain' })
  response.end(text)
}
