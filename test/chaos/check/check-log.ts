// Holds the firehose against the history: every acknowledged public operation is in it, those on one fact in their order, and
// none that was refused.

import type { History } from '../history/history.ts'
import { LOG, type Operation } from '../history/operation.ts'
import type { PostFact } from '../history/post-fact.ts'
import type { SwitchFact } from '../history/switch-fact.ts'
import type { Finding } from './finding.ts'
import type { LoggedPost, LogPicture } from './log-picture.ts'

export function checkLog(history: History, log: LogPicture): Finding[] {
  const findings: Finding[] = []
  for (const post of history.posts()) findings.push(...checkPost(post, log.post(post.name)))
  for (const { user, target, fact } of history.relations('follow')) {
    findings.push(...checkFollow(fact, log.follows(user, target)))
  }
  return findings
}

/** A subscriber that followed the log was sent everything that a replay has, and in order. */
export function checkFollower(followed: LogPicture, replayed: LogPicture): Finding[] {
  const findings: Finding[] = []
  for (const [who, { disorder }] of Object.entries({ followed, replayed })) {
    if (disorder === undefined) continue
    findings.push({ kind: 'log-out-of-order', text: `${who}: ${disorder}` })
  }
  const missed = [...replayed.eventIds].filter((id) => !followed.eventIds.has(id))
  if (missed.length > 0) {
    const text = `${missed.length} events were not sent to a subscriber that followed, as ${missed[0]}`
    findings.push({ kind: 'not-in-log', text })
  }
  return findings
}

function checkPost(post: PostFact, logged: LoggedPost): Finding[] {
  return [
    ...checkOnce(post, { operations: post.creates, isLogged: logged.isCreated, what: 'create' }),
    ...checkOnce(post, { operations: post.deletes, isLogged: logged.isDeleted, what: 'delete' }),
    ...checkEdits(post, logged),
  ]
}

function checkOnce(
  post: PostFact,
  given: {
    readonly operations: readonly Operation[]
    readonly isLogged: boolean
    readonly what: string
  },
): Finding[] {
  const { operations, isLogged, what } = given
  if (!isLogged && operations.some(({ outcome }) => outcome === 'acknowledged')) {
    return [{ kind: 'not-in-log', text: `${what} of ${post.story}` }]
  }
  if (isLogged && operations.every(({ outcome }) => outcome === 'refused')) {
    return [{ kind: 'refused-but-in-log', text: `${what} of ${post.story}` }]
  }
  return []
}

function checkEdits(post: PostFact, { texts }: LoggedPost): Finding[] {
  const findings: Finding[] = []
  let place = -1
  for (const { operation, text } of post.edits) {
    const at = texts.lastIndexOf(text)
    if (operation.outcome === 'refused' && at >= 0) {
      findings.push({ kind: 'refused-but-in-log', text: `${operation.story} of ${post.story}` })
    }
    if (operation.outcome !== 'acknowledged') continue
    if (at < 0) findings.push({ kind: 'not-in-log', text: `${operation.story} of ${post.story}` })
    else if (at < place)
      findings.push({ kind: 'log-out-of-order', text: `${operation.story} of ${post.story}` })
    place = Math.max(place, at)
  }
  const last = post.edits.findLast(({ operation }) => operation.outcome !== 'refused')
  if (last?.operation.outcome === 'acknowledged' && place >= 0 && texts.at(-1) !== last.text) {
    findings.push({ kind: 'log-out-of-order', text: `log: ${texts.join(' | ')}; ${post.story}` })
  }
  return findings
}

/** The acknowledged changes are there in their order, and there are no more of a kind than were tried. */
function checkFollow(fact: SwitchFact, logged: readonly boolean[]): Finding[] {
  const findings: Finding[] = []
  const changes = fact.changes.filter(({ operation }) => operation.session !== LOG)
  for (const on of [true, false]) {
    const tried = changes
      .filter((change) => change.on === on)
      .reduce((sum, { operation }) => sum + operation.effectsMax, 0)
    if (logged.filter((change) => change === on).length > tried) {
      findings.push({ kind: 'refused-but-in-log', text: described(fact, logged) })
    }
  }
  let place = 0
  for (const { operation, on } of changes) {
    if (operation.outcome !== 'acknowledged') continue
    const at = logged.indexOf(on, place)
    if (at < 0) {
      const kind = logged.includes(on) ? 'log-out-of-order' : 'not-in-log'
      findings.push({ kind, text: described(fact, logged) })
      return findings
    }
    place = at + 1
  }
  const last = fact.settled
  if (last !== undefined && (logged.at(-1) ?? false) !== last) {
    findings.push({ kind: 'log-out-of-order', text: described(fact, logged) })
  }
  return findings
}

function described(fact: SwitchFact, logged: readonly boolean[]): string {
  return `log: ${logged.map((on) => (on ? 'on' : 'off')).join(' ') || 'nothing'}; ${fact.story}`
}
