// What tests of faults rely on: a server as a process can be killed, paused and started again at the same address, and
// leaves nothing behind. Redis stands for all: they differ in nothing that is tested here.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { redisAnswers } from '../../../infra/local/answers.ts'
import { freePort, isFree } from '../../../infra/local/free-ports.ts'
import { startRedis } from '../../../infra/local/redis.ts'
import { testFolders } from '../../contract/test-folders.ts'

const { folder, closeLater } = testFolders()
const engines = { redisServer: 'redis-server' }

async function redis() {
  const server = await startRedis({ engines, folder: await folder() })
  closeLater({ close: () => server.kill() })
  const { host, port } = server
  return { server, ask: () => redisAnswers({ host, port, password: undefined, tls: undefined }) }
}

test('a killed server is gone at once, and answers at the same address when started again', async () => {
  const { server, ask } = await redis()
  const { pid } = server
  await server.kill()
  expect(server.pid).toBeUndefined()
  await expect(ask()).rejects.toThrow(/ECONNREFUSED|closed/)
  await server.start()
  expect(server.pid).not.toBe(pid)
  await expect(ask()).resolves.toBeUndefined()
})

test('a paused server answers nothing and no more than that', async () => {
  const { server, ask } = await redis()
  server.pause()
  await expect(ask()).rejects.toThrow('timed out')
  server.resume()
  await expect(ask()).resolves.toBeUndefined()
})

test('a paused server can be stopped', async () => {
  const { server } = await redis()
  server.pause()
  await server.stop()
  expect(server.pid).toBeUndefined()
})

test('a server whose port is taken is not mistaken for the other one', async () => {
  const { server } = await redis()
  const again = startRedis({ engines, folder: await folder(), port: server.port })
  await expect(again).rejects.toThrow(`port ${server.port} of 127.0.0.1 is taken`)
})

test('a server that ends at once says what its log ends with', async () => {
  const start = startRedis({ engines, folder: await folder(), memoryMb: -1 })
  await expect(start).rejects.toThrow('argument must be a memory value')
})

test('a server does not outlive a parent that is killed', async () => {
  const port = await freePort()
  const flags = ['--import', 'tsx', new URL('parent.ts', import.meta.url).pathname]
  const parent = spawn(process.execPath, [...flags, await folder(), String(port)])
  await once(parent.stdout, 'data')
  expect(await isFree(port)).toBe(false)
  parent.kill('SIGKILL')
  while (!(await isFree(port))) await wait(20)
})
