// Goes through every cluster that can be reached, breadth first, so that the way to a violation is a shortest one; then looks whether
// each of them can still come to rest without anybody's help.

import { isAtRest, violationIn, violationOf } from './checks.ts'
import { type Cluster, firstCluster, type Rules } from './cluster.ts'
import { Ints } from './ints.ts'
import { keyOf } from './key.ts'
import { type Step, stepsFrom } from './steps.ts'

export type Violation = { readonly what: string; readonly way: readonly string[] }

export type Explored = {
  readonly states: number
  readonly transitions: number
  readonly depth: number
  /** States by the phase of the move in the placement. */
  readonly phases: ReadonlyMap<string, number>
  readonly atRest: number
  readonly violation: Violation | undefined
}

export function explore(rules: Rules): Explored {
  const ids = new Map<string, number>()
  const parents = new Ints()
  const ordinals = new Ints()
  const helpless = new Ints()
  const firstEdges = new Ints()
  const atRest: number[] = []
  const phases = new Map<string, number>()
  let transitions = 0
  let depth = 0
  const violations: Violation[] = []
  let next: Cluster[] = []

  const wayTo = (id: number): string[] => {
    const path: number[] = []
    for (let at = id; at > 0; at = parents.at(at)) path.push(ordinals.at(at))
    return wordsOf(rules, path.reverse())
  }
  const meet = (cluster: Cluster, parent: number, ordinal: number): number => {
    const key = keyOf(cluster)
    const met = ids.get(key)
    if (met !== undefined) return met
    const id = ids.size
    ids.set(key, id)
    parents.push(parent)
    ordinals.push(ordinal)
    next.push(cluster)
    const phase = cluster.placement.moves[0]?.phase.kind ?? 'no move'
    phases.set(phase, (phases.get(phase) ?? 0) + 1)
    if (isAtRest(cluster)) atRest.push(id)
    const what = violationIn(cluster, rules)
    if (what !== undefined) violations.push({ what, way: wayTo(id) })
    return id
  }
  const goOn = (cluster: Cluster, id: number): void => {
    firstEdges.push(helpless.count)
    for (const [ordinal, step] of stepsFrom(cluster, rules).entries()) {
      transitions++
      const what = violationOf(cluster, step)
      if (what !== undefined) violations.push({ what, way: [...wayTo(id), step.did] })
      const to = meet(step.next, id, ordinal)
      if (violations.length > 0) return
      if (goesOnByItself(cluster, step)) helpless.push(to)
    }
  }

  meet(firstCluster(rules), 0, 0)
  let expanded = 0
  while (next.length > 0 && violations.length === 0) {
    const frontier = next
    next = []
    for (const cluster of frontier) {
      if (violations.length === 0) goOn(cluster, expanded++)
    }
    if (next.length > 0) depth++
  }
  firstEdges.push(helpless.count)
  if (violations.length === 0) {
    const stuck = firstStuck(ids.size, atRest, helpless, firstEdges)
    if (stuck !== undefined) {
      violations.push({ what: 'it can never come to rest', way: wayTo(stuck) })
    }
  }
  return {
    states: ids.size,
    transitions,
    depth,
    phases,
    atRest: atRest.length,
    violation: violations[0],
  }
}

/** Where a move differs, or is paused, somebody has to look. */
function goesOnByItself({ placement }: Cluster, { by, next }: Step): boolean {
  if (by !== 'operator') return by === 'cluster'
  const [move] = placement.moves
  const [after] = next.placement.moves
  if (move === undefined || after?.id !== move.id) return false
  return move.isPaused ? !after.isPaused : move.phase.kind === 'differs' && !after.isPaused
}

/** The first state from which none at rest can be reached. */
function firstStuck(
  states: number,
  atRest: readonly number[],
  edges: Ints,
  firstEdges: Ints,
): number | undefined {
  const comesToRest = new Uint8Array(states)
  for (const id of atRest) comesToRest[id] = 1
  for (let found = 1; found > 0; ) {
    found = 0
    for (let id = states - 1; id >= 0; id--) {
      if (comesToRest[id] === 1) continue
      for (let i = firstEdges.at(id); i < firstEdges.at(id + 1); i++) {
        if (comesToRest[edges.at(i)] !== 1) continue
        comesToRest[id] = 1
        found++
        break
      }
    }
  }
  const stuck = comesToRest.indexOf(0)
  return stuck < 0 ? undefined : stuck
}

/** What was done on the way, in words. */
function wordsOf(rules: Rules, ordinals: readonly number[]): string[] {
  let cluster = firstCluster(rules)
  return ordinals.map((ordinal) => {
    const step = stepsFrom(cluster, rules)[ordinal]
    if (step === undefined) throw new Error('a way that cannot be gone again')
    cluster = step.next
    return step.did
  })
}
