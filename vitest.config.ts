// One project per kind of test, so that each can be run alone: `vitest run --project unit`.
// A folder that is still empty is no error; a run that finds no test at all is.

import { defineConfig } from 'vitest/config'

const suite = (name: string, timeoutMs: number) => ({
  extends: true as const,
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout: timeoutMs,
    hookTimeout: timeoutMs,
  },
})

// On real Kafka, Cassandra and Redis, which are shared: after all others, one file at a time.
const base = suite('servers', 300_000)
const servers = {
  ...base,
  test: {
    ...base.test,
    globalSetup: ['test/servers/global-setup.ts'],
    fileParallelism: false,
    sequence: { groupOrder: 1 },
  },
}

export default defineConfig({
  test: {
    maxWorkers: 2,
    passWithNoTests: false,
    projects: [
      suite('unit', 30_000),
      suite('contract', 60_000),
      suite('simulation', 120_000),
      suite('integration', 120_000),
      suite('e2e', 120_000),
      servers,
    ],
  },
})
