// Cuts a connected piece of a given size out of a large edge list ("a b" a line, each pair once):
// one person and those reached from there first, breadth first, with every edge among them.
//
//   node --import tsx tools/extract-graph.ts <full edge list, plain or .gz> <person> <people> <out.gz>
//
// Deterministic: neighbours are visited in numerical order, edges are written in the order of the
// input. test/data/README.md says how the file there was made with it.

import { readFileSync, writeFileSync } from 'node:fs'
import { gunzipSync, gzipSync } from 'node:zlib'

type Edge = readonly [number, number]

function readEdges(path: string): Edge[] {
  const bytes = readFileSync(path)
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b
  const text = (isGzip ? gunzipSync(bytes) : bytes).toString('utf8')
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [a, b] = line.split(/\s+/)
      return [Number(a), Number(b)]
    })
}

function neighboursOf(edges: readonly Edge[]): Map<number, number[]> {
  const neighbours = new Map<number, number[]>()
  const link = (from: number, to: number) => {
    const known = neighbours.get(from)
    if (known) known.push(to)
    else neighbours.set(from, [to])
  }
  for (const [a, b] of edges) {
    link(a, b)
    link(b, a)
  }
  for (const list of neighbours.values()) list.sort((a, b) => a - b)
  return neighbours
}

function ballAround(neighbours: Map<number, number[]>, person: number, size: number): Set<number> {
  const ball = new Set([person])
  // A Set is iterated in the order of insertion, also over what is added meanwhile: it is the queue.
  for (const next of ball) {
    for (const neighbour of neighbours.get(next) ?? []) {
      if (ball.size === size) return ball
      ball.add(neighbour)
    }
  }
  return ball
}

const [input, person, people, output] = process.argv.slice(2)
if (!input || !person || !people || !output) {
  console.error('usage: extract-graph.ts <full edge list> <person> <people> <out.gz>')
  process.exit(2)
}
const edges = readEdges(input)
const ball = ballAround(neighboursOf(edges), Number(person), Number(people))
const inside = edges.filter(([a, b]) => ball.has(a) && ball.has(b))
const text = `${inside.map((edge) => edge.join(' ')).join('\n')}\n`
writeFileSync(output, gzipSync(text, { level: 9 }))

const counts = [...neighboursOf(inside).values()].map((list) => list.length).sort((a, b) => b - a)
console.log(
  `${ball.size} people, ${inside.length} pairs, ${((2 * inside.length) / ball.size).toFixed(1)} neighbours on average, ` +
    `at most ${counts[0]}, median ${counts[counts.length >> 1]}, least ${counts.at(-1)}`,
)
