// The CQL that an administrator gets to see.

import { expect, test } from 'vitest'
import type { CellName } from '../../../cells/model/placement.ts'
import { planSchema } from '../../../infra/cassandra/schema.ts'

const cells = ['cell-1', 'cell-2'] as CellName[]
const plan = planSchema({ prefix: 'feed', cells, replication: { east: 3, west: 2 } })
const all = plan.join(';\n')

test('there is a keyspace for control and one for each cell, replicated as asked', () => {
  const keyspaces = plan.filter((statement) => statement.startsWith('CREATE KEYSPACE'))
  const replication = "{'class': 'NetworkTopologyStrategy', 'east': '3', 'west': '2'}"
  expect(keyspaces).toEqual(
    ['feed_control', 'feed_cell_1', 'feed_cell_2'].map(
      (name) => `CREATE KEYSPACE IF NOT EXISTS ${name} WITH replication = ${replication}`,
    ),
  )
})

test('statements may be run again, and use nothing that does not scale', () => {
  for (const statement of plan) expect(statement).toMatch(/IF NOT EXISTS|USING TIMESTAMP 1$/)
  expect(all).not.toMatch(/INDEX|COUNTER|MATERIALIZED/i)
})

test('posts lie by author and month, newest first', () => {
  expect(all).toContain('CREATE TABLE IF NOT EXISTS feed_cell_1.posts (')
  expect(all).toContain('PRIMARY KEY ((author, month), post_id)')
  expect(all).toContain('CLUSTERING ORDER BY (post_id DESC)')
})
