// Whom people follow, for benches: a real social graph, and one drawn by Zipf with an author whom everybody follows.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { drawFrom, zipf } from './draw.ts'

export const REAL_GRAPH = join(import.meta.dirname, '../../../shared/data/epinions.edges.gz')
const ZIPF_USERS = 1_000_000
const ZIPF_FOLLOWS = 5

export type Graph = {
  readonly what: string
  /** Numbered from 1. */
  readonly users: number
  /** Ascending, and not the user. */
  readonly followedBy: (user: number) => Uint32Array
}

/** 75,877 people who follow each other; undefined where the data is not there. */
export function realGraph(): Graph | undefined {
  if (!existsSync(REAL_GRAPH)) return undefined
  const lines = gunzipSync(readFileSync(REAL_GRAPH)).toString('latin1').trim().split('\n')
  const numbers = new Map<string, number>()
  const numberOf = (name: string): number => {
    const known = numbers.get(name)
    if (known !== undefined) return known
    numbers.set(name, numbers.size + 1)
    return numbers.size
  }
  const follows: Set<number>[] = [new Set()]
  const follow = (a: number, b: number): void => {
    while (follows.length <= Math.max(a, b)) follows.push(new Set())
    follows[a]?.add(b)
  }
  for (const line of lines) {
    const [a, b] = line.split(/\s+/).map(numberOf)
    if (a === undefined || b === undefined || a === b) continue
    follow(a, b)
    follow(b, a)
  }
  const sorted = follows.map((authors) => Uint32Array.from(authors).sort())
  const edges = sorted.reduce((sum, { length }) => sum + length, 0)
  return {
    what: `${(sorted.length - 1).toLocaleString('en-US')} people of a real graph, ${edges.toLocaleString('en-US')} follows`,
    users: sorted.length - 1,
    followedBy: (user) => sorted[user] ?? new Uint32Array(0),
  }
}

/** A million people who follow one author, and some others drawn by Zipf. */
export function zipfGraph(): Graph {
  const draw = drawFrom(23)
  const follows = Array.from({ length: ZIPF_USERS + 1 }, (_, user) => {
    if (user === 0) return new Uint32Array(0)
    const authors = new Set([1])
    while (authors.size <= ZIPF_FOLLOWS) authors.add(zipf(draw, ZIPF_USERS))
    authors.delete(user)
    return Uint32Array.from(authors).sort()
  })
  return {
    what: `a million people who follow one author, and ${ZIPF_FOLLOWS} others each, drawn by Zipf`,
    users: ZIPF_USERS,
    followedBy: (user) => follows[user] ?? new Uint32Array(0),
  }
}
