// Flags and environment of `cellfeed serve`: what they mean, and that every mistake is told at once.

import { expect, test } from 'vitest'
import { CELL_LIMITS } from '../../../../cells/model/cell-limits.ts'
import { isConfigErrors } from '../../../../services/runtime/flags.ts'
import {
  parseServeConfig,
  SERVE_FLAGS,
  type ServeConfig,
} from '../../../../services/serve/config.ts'

function accepted(raw: Record<string, unknown>, environment = {}): ServeConfig {
  const parsed = parseServeConfig(raw, environment)
  if (isConfigErrors(parsed)) throw new Error(parsed.errors.join('; '))
  return parsed
}

function refused(raw: Record<string, unknown>, environment = {}): readonly string[] {
  const parsed = parseServeConfig(raw, environment)
  return isConfigErrors(parsed) ? parsed.errors : []
}

test('nothing given is a cluster of this folder on loopback', () => {
  const config = accepted({})
  expect(config).toMatchObject({
    dataFolder: './cellfeed-data',
    cells: undefined,
    host: '127.0.0.1',
    port: 7400,
    adminPort: 7401,
    statusPort: 7402,
    fsync: 'always',
    retentionMs: 7 * 86_400_000,
    logLevel: 'warn',
  })
  expect(config.cellLimits.windowPostsKept).toBe(CELL_LIMITS.windowPostsKept)
})

test('a flag wins over the environment, an empty variable counts as absent', () => {
  const environment = { CELLFEED_PORT: '8000', CELLFEED_CELLS: '3', CELLFEED_DATA: '' }
  expect(accepted({ port: '9000' }, environment)).toMatchObject({
    port: 9000,
    cells: 3,
    dataFolder: './cellfeed-data',
  })
})

test('times have units', () => {
  const config = accepted({ retention: '36h', checkpointInterval: '500ms' })
  expect(config.retentionMs).toBe(36 * 3_600_000)
  expect(config.cellLimits.checkpointMs).toBe(500)
})

test('port 0 is any free port, and the status page then takes one too', () => {
  expect(accepted({ port: '0', adminPort: '0' })).toMatchObject({ port: 0, statusPort: 0 })
})

test('all mistakes are told at once, each with its flag or variable', () => {
  const errors = refused(
    { cells: '0', port: '70000', fsync: 'often' },
    { CELLFEED_RETENTION: 'week' },
  )
  expect(errors).toEqual([
    '--cells wants a whole number from 1 to 64',
    '--port wants a whole number from 0 to 65535',
    '--fsync wants always or never',
    '--retention (from CELLFEED_RETENTION) wants a time such as 500ms, 10s, 15m, 12h or 7d',
  ])
})

test('what contradicts itself is told', () => {
  expect(refused({ port: '7500', adminPort: '7500' })).toHaveLength(1)
  expect(refused({ windowPosts: '1000', generationPosts: '2000' })).toHaveLength(1)
})

test('a smaller window alone makes smaller generations', () => {
  expect(accepted({ windowPosts: '1000' }).cellLimits.generationPosts).toBe(1_000)
  expect(accepted({}).cellLimits.generationPosts).toBe(1_000_000)
})

test('every flag has a variable of its own', () => {
  const names = SERVE_FLAGS.map(({ environment }) => environment)
  expect(new Set(names).size).toBe(names.length)
  expect(names).toContain('CELLFEED_ADMIN_PORT')
})

test('what is delivered is decided by cost, unless the operator says otherwise', () => {
  expect(accepted({}).cellLimits).toMatchObject({
    policy: { mode: 'by-cost', latencyWeight: 1, dormantMs: 30 * 86_400_000 },
    costs: {},
  })
  const costs = 'pull-us=60, entry-us=0.06'
  const given = { delivery: 'never', latencyWeight: '2.5', dormantAfter: '12h', costs }
  expect(accepted(given).cellLimits).toMatchObject({
    policy: { mode: 'pulled', latencyWeight: 2.5, dormantMs: 12 * 3_600_000 },
    costs: { pullUs: 60, entryUs: 0.06 },
  })
})

test('policies that are none are told in a line each', () => {
  for (const costs of ['', 'pull-us', 'pull-us=', 'pull-us=x', 'pull=1', 'pull-us=1;entry-us=2']) {
    expect(refused({ costs })).toEqual([
      '--costs wants costs such as pull-us=60,entry-us=0.06; there are chain-us, walked-us, edge-us, entry-us, entry-bytes, pull-us, chunk-us, inbox-us',
    ])
  }
  expect(refused({ delivery: 'often', latencyWeight: '0' })).toEqual([
    '--delivery wants one of by-cost, always, never',
    '--latency-weight wants a number from 0.01 to 100',
  ])
})
