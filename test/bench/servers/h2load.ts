// Calls a gRPC method as fast as it answers, by nghttp2's h2load: it costs little beside what it measures. Every message is its own
// process, so that several users are asked for at once. h2load does not look into the answers: who uses it has looked at one.

import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

export type GrpcLoad = {
  readonly address: string
  /** `/package.Service/Method`. */
  readonly path: string
  /** Encoded requests; each is sent over and over on a connection of its own. */
  readonly messages: readonly Uint8Array[]
  /** At once, on each connection. */
  readonly streams: number
  readonly seconds: number
}

const WARM_UP_SECONDS = 3

/** Answers a second, of all connections together. */
export async function callsPerSecond(load: GrpcLoad): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'cellfeed-h2load-'))
  try {
    const runs = load.messages.map(async (message, i) => {
      const file = join(folder, `${i}.bin`)
      await writeFile(file, framed(message))
      return callOne(load, file)
    })
    const rates = await Promise.all(runs)
    return rates.reduce((sum, rate) => sum + rate, 0)
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function callOne({ address, path, streams, seconds }: GrpcLoad, file: string) {
  const { stdout } = await promisify(execFile)('h2load', [
    `--duration=${seconds}`,
    `--warm-up-time=${WARM_UP_SECONDS}`,
    '--clients=1',
    `--max-concurrent-streams=${streams}`,
    `--data=${file}`,
    '--header=content-type: application/grpc',
    '--header=te: trailers',
    `http://${address}${path}`,
  ])
  const rate = Number(/finished in [^,]+, ([\d.]+) req\/s/.exec(stdout)?.[1])
  const failed = Number(/(\d+) failed/.exec(stdout)?.[1])
  if (!(rate > 0) || failed > 0) throw new Error(`h2load says:\n${stdout}`)
  return rate
}

/** As gRPC sends it: not compressed, its length, the message. */
function framed(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}
