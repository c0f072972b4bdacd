// Engines at the start of a process: asked again while that may help, refused in one line when it does not.

import { expect, test } from 'vitest'
import type { Clock } from '../../../../cells/ports/clock.ts'
import { createLog } from '../../../../services/runtime/log.ts'
import { kafkaAt, openEngine } from '../../../../services/runtime/open-engine.ts'
import { StartFailure } from '../../../../services/runtime/run-process.ts'

class QuickClock implements Clock {
  #nowMs = 0
  nowMs(): number {
    return this.#nowMs
  }
  async sleep(ms: number): Promise<void> {
    this.#nowMs += ms
  }
  async yield(): Promise<void> {}
}

const at = kafkaAt(['127.0.0.1:9092'])
const options = () => ({
  clock: new QuickClock(),
  log: createLog('silent'),
  patienceMs: 10_000,
  signal: new AbortController().signal,
})

async function failureOf(open: () => Promise<never>): Promise<StartFailure> {
  const error: unknown = await openEngine(at, open, options()).catch((thrown: unknown) => thrown)
  if (error instanceof StartFailure) return error
  throw new Error('it did not fail')
}

test('one that comes up while it is waited for is opened', async () => {
  let asked = 0
  const open = async () => {
    if (++asked < 4) throw new Error('connect ECONNREFUSED')
    return 'open'
  }
  expect(await openEngine(at, open, options())).toBe('open')
})

test('one that stays away is told with its address, and what to do', async () => {
  let asked = 0
  const failure = await failureOf(async () => {
    asked++
    throw new Error('all hosts failed', { cause: new Error('connect ECONNREFUSED 127.0.0.1:9092') })
  })
  expect(asked).toBeGreaterThan(3)
  expect(failure.exit).toBe(1)
  expect(failure.message).toBe(
    'Kafka at 127.0.0.1:9092 does not answer: connect ECONNREFUSED 127.0.0.1:9092; start it, or name another with --kafka',
  )
})

test.each([
  ['a wrong password', 'SASL SCRAM SHA512 authentication failed', 'refuses this process'],
  ['a certificate nobody trusts', 'self-signed certificate in chain', 'refuses this process'],
  ['another data center', "localDataCenter was configured as 'x'", 'refuses this process'],
  ['topics that are not there', 'UNKNOWN_TOPIC_OR_PARTITION', 'cellfeed init'],
])('%s is not asked again: exit code 2', async (_, message, told) => {
  let asked = 0
  const failure = await failureOf(async () => {
    asked++
    throw new Error('could not connect', { cause: new Error(message) })
  })
  expect(asked).toBe(1)
  expect(failure.exit).toBe(2)
  expect(failure.message).toContain(told)
  expect(failure.message).not.toContain('\n')
})
