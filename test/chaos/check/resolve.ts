// The log knows the outcome of what its writers do not. Once everything stands still, what the log says is taken for true, so
// that dashboards can be held against it without "perhaps": also of what was refused and happened all the same, which has been
// found by then, so that it is not found again and again. Blocks and mutes are not in the public log: theirs stay open.

import type { History } from '../history/history.ts'
import { LOG, type Operation } from '../history/operation.ts'
import type { LogPicture } from './log-picture.ts'

/** Returns how many open facts were decided. */
export function resolveByLog(history: History, log: LogPicture): number {
  let decided = 0
  const decide = (operation: Operation, isLogged: boolean) => {
    const { outcome } = operation
    const isWrong = outcome === 'refused' && isLogged
    if (outcome !== 'unknown' && !isWrong) return
    operation.settle(isLogged ? 'acknowledged' : 'refused', history.tick())
    decided += 1
  }
  for (const post of history.posts()) {
    const { isCreated, isDeleted, texts } = log.post(post.name)
    for (const operation of post.creates) decide(operation, isCreated)
    for (const operation of post.deletes) decide(operation, isDeleted)
    for (const { operation, text } of post.edits) decide(operation, texts.includes(text))
  }
  for (const { user, target, fact } of history.relations('follow')) {
    const on = log.follows(user, target).at(-1) ?? false
    if (fact.settled === on) continue
    const operation = history.relate(LOG, { kind: 'follow', user, target, on })
    operation.attempted('acknowledged', 'found so in the log')
    operation.end(history.tick())
    decided += 1
  }
  return decided
}
