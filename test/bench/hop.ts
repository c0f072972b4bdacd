// What the hop costs: a gateway in one process, a cell in another, joined by the stream. Pages of 20 posts of 1 KB, all in
// memory, are asked for through the gateway and from the cell itself; beside them an empty method of the same gateway. The load
// comes from h2load (Debian: nghttp2-client), as calling costs a gRPC client in Node more than answering costs the server.
//
//     node --import tsx test/bench/hop.ts

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ListDashboardRequest } from '../../gen/cellfeed/v1/dashboard_service.ts'
import { connect } from '../../services/client/connect.ts'
import type { BenchRow } from './bench-row.ts'
import { isStarted, printTable } from './print.ts'

const CALLS = 10_000
const ROUNDS = 3
const CONNECTIONS = 4
const AT_ONCE = 8
const POSTS = 20
const READER = 'reader-1'
const LIST = '/cellfeed.v1.DashboardService/ListDashboard'
const EMPTY = '/grpc.health.v1.Health/Check'
const TICKS_PER_SECOND = 100

type Started = { readonly child: ChildProcess; readonly address: string }
type Load = { readonly callsPerSecond: number; readonly times: string; readonly cpuUs: string }

export async function bench(): Promise<BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), 'cellfeed-hop-'))
  const cell = await start(['cell'])
  const gateway = await start(['gateway', cell.address])
  const ends = [gateway, cell]
  try {
    for (const { address } of ends) await checkPage(address)
    const page = bodyIn(folder, 'page', ListDashboardRequest.encode(listOf(READER)).finish())
    const none = bodyIn(folder, 'none', new Uint8Array())
    const found: { empty: Load[]; hop: Load[]; direct: Load[] } = { empty: [], hop: [], direct: [] }
    for (let round = 0; round < ROUNDS; round++) {
      found.empty.push(load(gateway.address, EMPTY, none, ends))
      found.hop.push(load(gateway.address, LIST, page, ends))
      found.direct.push(load(cell.address, LIST, page, ends))
    }
    const [empty, hop, direct] = [best(found.empty), best(found.hop), best(found.direct)]
    const share = Math.round((100 * hop.callsPerSecond) / empty.callsPerSecond)
    const beside = `empty method of the same gateway: ${figureOf(empty)}`
    const through = `page of ${POSTS} posts of 1 KB through gateway and one cell`
    return [
      { what: through, figure: `${figureOf(hop)}: ${share} %`, goal: '>= 50 %', peer: beside },
      { what: 'the same from the cell itself', figure: figureOf(direct), goal: '', peer: beside },
    ]
  } finally {
    for (const { child } of ends) child.stdin?.end()
    rmSync(folder, { recursive: true })
  }
}

async function start(args: string[]): Promise<Started> {
  const file = fileURLToPath(new URL('hop-processes.ts', import.meta.url))
  const stdio = ['pipe', 'pipe', 'inherit'] as const
  const child = spawn(process.execPath, [...process.execArgv, file, ...args], { stdio: [...stdio] })
  for await (const line of child.stdout ?? []) {
    const { address } = JSON.parse(String(line)) as { address: string }
    return { child, address }
  }
  throw new Error(`the process ${args[0]} did not start`)
}

/** The load generator counts answers, it does not look at them. */
async function checkPage(address: string): Promise<void> {
  const feed = connect(address)
  const { posts } = await feed.dashboard(READER)
  feed.close()
  if (posts.length !== POSTS) throw new Error(`a page of ${posts.length} posts at ${address}`)
}

function listOf(userId: string): ListDashboardRequest {
  return { userId, pageSize: 0, pageToken: '', consistencyTokens: [], includeUnreadCount: false }
}

/** A file with one message as gRPC frames it. */
function bodyIn(folder: string, name: string, message: Uint8Array): string {
  const frame = Buffer.alloc(5 + message.length)
  frame.writeUInt32BE(message.length, 1)
  frame.set(message, 5)
  const file = join(folder, name)
  writeFileSync(file, frame)
  return file
}

function load(address: string, path: string, body: string, ends: readonly Started[]): Load {
  const before = ends.map(({ child }) => cpuMs(child))
  const args = ['-n', String(CALLS), '-c', String(CONNECTIONS), '-m', String(AT_ONCE)]
  const windows = ['-w', '22', '-W', '24']
  const headers = ['-H', 'content-type: application/grpc', '-H', 'te: trailers']
  const url = `http://${address}${path}`
  const all = [...args, ...windows, ...headers, `--data=${body}`, url]
  const { stdout, error } = spawnSync('h2load', all, { encoding: 'utf8' })
  if (error !== undefined) throw new Error('h2load is needed (Debian: nghttp2-client)')
  const callsPerSecond = Number(/([\d.]+) req\/s/.exec(stdout)?.[1])
  if (!stdout.includes(`${CALLS} succeeded`)) throw new Error(`calls failed: ${stdout}`)
  const times = /time for request: +\S+ +(\S+) +(\S+)/.exec(stdout)
  const after = ends.map(({ child }) => cpuMs(child))
  const spent = after.map((ms, i) => Math.round(((ms - (before[i] ?? 0)) * 1_000) / CALLS))
  return {
    callsPerSecond,
    times: `mean ${times?.[2]}, slowest ${times?.[1]}`,
    cpuUs: `gateway ${spent[0]} us, cell ${spent[1]} us a call`,
  }
}

/** Of all threads of a process, in steps of 10 ms. */
function cpuMs({ pid }: ChildProcess): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? []
  return ((Number(fields[11]) + Number(fields[12])) * 1_000) / TICKS_PER_SECOND
}

function best(loads: readonly Load[]): Load {
  const [first] = loads.toSorted((a, b) => b.callsPerSecond - a.callsPerSecond)
  if (first === undefined) throw new Error('nothing was measured')
  return first
}

function figureOf({ callsPerSecond, times, cpuUs }: Load): string {
  return `${Math.round(callsPerSecond)}/s (${times}; ${cpuUs})`
}

if (isStarted(import.meta.url)) printTable(await bench())
