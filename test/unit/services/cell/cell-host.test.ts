// A hosted cell: brought back when it fails, with a new boot number, and out of reach meanwhile.

import { expect, test } from 'vitest'
import type { CellClient } from '../../../../cells/ports/cell-client.ts'
import { CellHost, type HostedCell } from '../../../../services/cell/cell-host.ts'
import { createLog } from '../../../../services/runtime/log.ts'

/** A cell that starts, fails and stops when the test says so. */
class PuppetCell {
  readonly boot: number
  readonly failure: Promise<Error>
  fail: (error: Error) => void = () => undefined
  serve: () => void = () => undefined
  isStopped = false
  readonly #started: Promise<void>

  constructor(boot: number) {
    this.boot = boot
    this.failure = new Promise((resolve) => {
      this.fail = resolve
    })
    this.#started = new Promise((resolve) => {
      this.serve = resolve
    })
  }
  start(): Promise<void> {
    return this.#started
  }
  async stop(): Promise<void> {
    this.isStopped = true
  }
}

function hostOf(sleep: (ms: number) => Promise<void> = () => Promise.resolve()) {
  const cells: PuppetCell[] = []
  let boots = 0
  const host = new CellHost('cell-1', {
    clock: {
      nowMs: () => 1_000,
      sleep,
      yield: () => Promise.resolve(),
    },
    log: createLog('silent'),
    version: '1.2.3',
    nextBoot: async () => ++boots,
    create: (boot) => {
      const cell = new PuppetCell(boot)
      cells.push(cell)
      return cell as unknown as HostedCell
    },
    restarted: () => undefined,
  })
  const newest = async (count: number): Promise<PuppetCell> => {
    await expect.poll(() => cells.length).toBe(count)
    const cell = cells.at(-1)
    if (cell === undefined) throw new Error('no cell')
    return cell
  }
  return { host, newest }
}

const same = (client: CellClient | undefined, cell: PuppetCell) => expect(client).toBe(cell)

test('is out of reach until it has caught up', async () => {
  const { host, newest } = hostOf()
  const started = host.start()
  const cell = await newest(1)
  expect([host.client, host.report().state]).toEqual([undefined, 'loading'])
  cell.serve()
  await started
  same(host.client, cell)
  expect(host.report()).toMatchObject({ state: 'serving', boot: 1, startedAtMs: 1_000 })
  await host.stop()
  expect([cell.isStopped, host.client, host.report().state]).toEqual([true, undefined, 'stopped'])
})

test('that fails is started anew, under another boot number', async () => {
  const { host, newest } = hostOf()
  const started = host.start()
  const first = await newest(1)
  first.serve()
  await started
  first.fail(new Error('the store is gone'))
  const second = await newest(2)
  expect(host.client).toBeUndefined()
  second.serve()
  await expect.poll(() => host.report().state).toBe('serving')
  same(host.client, second)
  expect(host.report()).toMatchObject({ boot: 2, detail: '' })
  await host.stop()
  expect([first.isStopped, second.isStopped]).toEqual([false, true])
})

test('that fails again while it loads is tried again, and says why it does not serve', async () => {
  const { host, newest } = hostOf()
  const started = host.start()
  const first = await newest(1)
  first.serve()
  await started
  first.fail(new Error('a gap in the log'))
  const second = await newest(2)
  expect(host.report()).toMatchObject({ state: 'loading', detail: 'a gap in the log' })
  second.fail(new Error('a gap again'))
  const third = await newest(3)
  third.serve()
  await expect.poll(() => host.report().state).toBe('serving')
  await host.stop()
})

test('that cannot start at first is told to who starts it', async () => {
  const { host, newest } = hostOf()
  const started = host.start()
  const cell = await newest(1)
  cell.fail(new Error('another log'))
  await expect(started).rejects.toThrow('another log')
  await host.stop()
})

test('stopped while it loads, ends when it has loaded', async () => {
  const { host, newest } = hostOf()
  const started = host.start()
  const cell = await newest(1)
  const stopped = host.stop()
  cell.serve()
  await Promise.all([started, stopped])
  expect(cell.isStopped).toBe(true)
})

test('is dead while it will not be started for a while, and tried again then', async () => {
  const pauses: { readonly ms: number; readonly end: () => void }[] = []
  const { host, newest } = hostOf(
    (ms) =>
      new Promise((resolve) => {
        pauses.push({ ms, end: resolve })
      }),
  )
  const lost = new Error('its store is lost')
  host.retry(lost)
  const dead: boolean[] = []
  for (let times = 1; times <= 4; times++) {
    await expect.poll(() => pauses.length).toBe(times)
    dead.push(host.isDead)
    pauses.at(-1)?.end()
    const cell = await newest(times)
    expect(host.isDead).toBe(false)
    cell.fail(lost)
  }
  expect(pauses.map(({ ms }) => ms)).toEqual([500, 1_000, 2_000, 4_000])
  expect(dead).toEqual([false, false, true, true])
  await expect.poll(() => pauses.length).toBe(5)
  pauses.at(-1)?.end()
  const last = await newest(5)
  last.serve()
  await expect.poll(() => host.report().state).toBe('serving')
  expect(host.isDead).toBe(false)
  await host.stop()
})
