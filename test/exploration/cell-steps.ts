// What a cell does: it applies records, takes checkpoints, crashes and comes back with what its store holds; and what the placement
// that it knows asks of it, as activities/slot-keeper.ts and arrival.ts. A step is as much as no crash can divide.

import { hasReached } from '../../cells/model/position.ts'
import {
  type Cluster,
  type Copy,
  type Host,
  type Name,
  NAMES,
  otherThan,
  ownerIn,
  restored,
  type Rules,
  type Running,
  shownBy,
  withHost,
  withRunning,
} from './cluster.ts'
import { LOG_END, NOWHERE, postsBetween } from './log.ts'
import type { Step } from './steps.ts'
import { isSame, isWanted, viewOf } from './view.ts'

type Say = (did: string, next: Cluster, by?: Step['by']) => void

export function cellSteps(cluster: Cluster, rules: Rules, to: Step[]): void {
  for (const name of NAMES) {
    const { running } = cluster[name]
    const say: Say = (did, next, by = 'cluster') => to.push({ did: `${name} ${did}`, by, next })
    if (running === undefined) {
      startSteps(cluster, name, say)
      continue
    }
    if (cluster.crashesLeft > 0) say('crashes', crashed(cluster, name), 'misfortune')
    for (const [partition, end] of LOG_END.entries()) {
      if ((running.position[partition] ?? 0) >= end) continue
      say(`applies a record of partition ${partition}`, applied(cluster, name, running, partition))
    }
    if (isDue(cluster[name], running)) {
      say('takes a checkpoint', checkpointed(cluster, name, running, rules))
    }
    keeperSteps(cluster, { name, running, rules, say })
    const { copy } = running
    if (copy !== undefined) arrivalSteps(cluster, { name, running, rules, say }, copy)
  }
}

function crashed(cluster: Cluster, name: Name): Cluster {
  const host = cluster[name]
  const wasDown = cluster.wasDown || isReadySource(cluster, name)
  const hasShown = host.running?.view.owns !== 0
  const shown = hasShown ? shownBy(host) : NOWHERE
  const down = { ...host, running: undefined, shown }
  return { ...withHost(cluster, name, down), wasDown, crashesLeft: cluster.crashesLeft - 1 }
}

function isReadySource({ placement }: Cluster, name: Name): boolean {
  return placement.moves.some(
    ({ from, phase, isStandby }) => from === name && phase.kind === 'ready' && isStandby,
  )
}

/** By the newest placement. What it does not keep it drops first; one that was rebuilt keeps nothing: no driver sleeps for that long. */
function startSteps(cluster: Cluster, name: Name, say: Say): void {
  const { disk } = cluster[name]
  const started = ({ kept, position }: Host['disk']): Cluster => {
    const running: Running = {
      view: viewOf(cluster.placement, name),
      position,
      servesFrom: hasReached(position, LOG_END) ? undefined : LOG_END,
      copy: kept && restored(kept),
      dropping: [],
    }
    const rows = kept !== undefined && disk.rows.includes(kept.term) ? [kept.term] : []
    const shown = running.servesFrom === undefined ? NOWHERE : cluster[name].shown
    return withHost(cluster, name, { disk: { position, kept, rows }, running, shown })
  }
  say('starts', started(disk))
  if (disk.kept !== undefined && ownerIn(cluster.placement) !== name) {
    const rebuilt = { ...started({ ...disk, kept: undefined }), look: undefined }
    say('starts, rebuilt without the slot', rebuilt)
  }
}

function applied(cluster: Cluster, name: Name, running: Running, partition: number): Cluster {
  const { servesFrom, copy } = running
  const offset = running.position[partition] ?? 0
  const position = running.position.map((at, p) => (p === partition ? at + 1 : at))
  const isReached = servesFrom !== undefined && hasReached(position, servesFrom)
  const isAttached = copy !== undefined && (copy.attached & (1 << partition)) !== 0
  const posts = postsBetween(partition, offset, offset + 1)
  const next = withRunning(cluster, name, {
    position,
    servesFrom: isReached ? undefined : servesFrom,
    copy: isAttached ? { ...copy, posts: copy.posts | posts } : copy,
  })
  return isReached ? withHost(next, name, { ...next[name], shown: NOWHERE }) : next
}

/** One of a cell that does not hold the slot changes nothing but where it begins anew. */
function isDue({ disk }: Host, { position, copy }: Running): boolean {
  const complete = copy?.stage === 'complete' ? copy : undefined
  if (disk.kept?.term !== complete?.term) return true
  return complete !== undefined && position.some((offset, p) => offset !== disk.position[p])
}

function checkpointed(cluster: Cluster, name: Name, running: Running, rules: Rules): Cluster {
  const { position, copy } = running
  if (copy?.stage !== 'complete') {
    return dropped(withRunning(cluster, name, {}, { position, kept: undefined }), name, rules)
  }
  const { term, move, posts } = copy
  const durable = { copy: { ...copy, isDurable: true } }
  const kept = { term, move, posts }
  return dropped(withRunning(cluster, name, durable, { position, kept }), name, rules)
}

type At = {
  readonly name: Name
  readonly running: Running
  readonly rules: Rules
  readonly say: Say
}

function keeperSteps(cluster: Cluster, { name, running, rules, say }: At): void {
  const { view, copy, dropping } = running
  const { disk } = cluster[name]
  const newest = viewOf(cluster.placement, name)
  if (!isSame(view, newest)) {
    say('learns the placement', withRunning(cluster, name, { view: newest }))
  }
  const source = cluster[otherThan(name)].disk
  const mayTakeIn = copy === undefined && dropping.length < 2
  if (view.takesIn !== 0 && mayTakeIn && source.kept?.term === view.from) {
    const isReused = rules.bug === 'term-reused'
    const term = (isReused ? dropping[0] : undefined) ?? freshTerm(cluster)
    const marked: Copy = {
      term,
      move: view.takesIn,
      asOf: source.position,
      stage: 'marked',
      attached: 0,
      posts: 0,
      isDurable: false,
    }
    const rows = [...disk.rows.filter((each) => each !== term), term]
    say('marks a term, reads a checkpoint', withRunning(cluster, name, { copy: marked }, { rows }))
  }
  if (copy !== undefined && rules.bug !== 'copies-kept' && !isWanted(view, copy)) {
    const forgotten = { copy: undefined, dropping: [...dropping, copy.term] }
    say('forgets the slot', dropped(withRunning(cluster, name, forgotten), name, rules))
  }
  if (rules.dropsLate === true && dropping.some((term) => mayDrop(cluster[name], term))) {
    say('drops rows', dropped(cluster, name))
  }
}

/** Nobody drops what a checkpoint names. */
function mayDrop({ disk, running }: Host, term: number): boolean {
  return disk.kept?.term !== term || running?.copy?.term === term
}

function dropped(cluster: Cluster, name: Name, rules?: Rules): Cluster {
  const host = cluster[name]
  const over = host.running?.dropping.filter((term) => mayDrop(host, term)) ?? []
  if (rules?.dropsLate === true || over.length === 0) return cluster
  const without = (terms: readonly number[] = []) => terms.filter((term) => !over.includes(term))
  const dropping = without(host.running?.dropping)
  return withRunning(cluster, name, { dropping }, { rows: without(host.disk.rows) })
}

/** The control store never gives one twice. Terms that nothing in the cluster names may as well be new. */
function freshTerm({ placement, A, B }: Cluster): number {
  const terms = placement.ranges.map(({ term }) => term)
  for (const { phase } of placement.moves) {
    if (phase.kind === 'retiring') terms.push(...phase.left.map(({ term }) => term))
    else if ('term' in phase) terms.push(phase.term)
  }
  for (const { disk, running } of [A, B]) {
    terms.push(...disk.rows, disk.kept?.term ?? 0)
    if (running !== undefined) terms.push(running.copy?.term ?? 0, ...running.dropping)
    if (running !== undefined) terms.push(running.view.owns, running.view.term, running.view.left)
  }
  return Math.max(...terms) + 1
}

/** Rows of the source's store, then a replay from its checkpoint to the cell's own position, partition by partition. */
function arrivalSteps(cluster: Cluster, { name, running, rules, say }: At, copy: Copy): void {
  const { bug } = rules
  const source = cluster[otherThan(name)].disk
  const became = (change: Partial<Copy>): Cluster =>
    withRunning(cluster, name, { copy: { ...copy, ...change } })
  if (copy.stage === 'marked') {
    if (source.kept === undefined || source.kept.term !== running.view.from) return
    const attached = bug === 'replayed-after-attached' ? 0b11 : 0
    say('copies the rows', became({ stage: 'copied', posts: source.kept.posts, attached }))
    return
  }
  if (copy.asOf === undefined) return
  const asOf = bug === 'position-after-copy' ? source.position : copy.asOf
  for (const [partition, own] of running.position.entries()) {
    const from = copy.asOf[partition] ?? 0
    if (from === Number.POSITIVE_INFINITY) continue
    const isForgotten = bug === 'one-partition-forgotten' && partition === 0
    const posts = isForgotten ? 0 : postsBetween(partition, asOf[partition], own)
    const left = copy.asOf.map((at, p) => (p === partition ? Number.POSITIVE_INFINITY : at))
    const isLast = left.every((at) => at === Number.POSITIVE_INFINITY)
    const next = became({
      posts: copy.posts | posts,
      attached: copy.attached | (1 << partition),
      asOf: isLast ? undefined : left,
      stage: isLast ? 'complete' : copy.stage,
    })
    say(`replays and attaches partition ${partition}`, next)
  }
  if (bug === 'replayed-after-attached' && copy.stage === 'copied') {
    say('has the slot complete', became({ stage: 'complete' }))
  }
}
