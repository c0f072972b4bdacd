// What there is before the load begins: everybody follows some others, the first of them more than the last, and has said
// hello. All of it is acknowledged.

import { setTimeout as wait } from 'node:timers/promises'
import { inParallel } from '../../../tools/demo/in-parallel.ts'
import type { Load } from './load.ts'
import { type Author, publish, relate } from './writes.ts'

const atOnceMax = 32
const triesMax = 50
const pauseMs = 100

export async function foundGraph(load: Load, signal: AbortSignal): Promise<void> {
  const dice = load.dice('graph')
  const feed = load.feed.session()
  const author: Author = { load, session: 'graph', feed, dice, signal }
  const follows = load.users.flatMap((user) => {
    const others = load.users.filter((other) => other !== user)
    // The smaller of two draws: some authors are popular.
    const draw = () => others[Math.min(dice.below(others.length), dice.below(others.length))]
    const targets = new Set(Array.from({ length: load.plan.followsPerUser }, draw))
    return [...targets].flatMap((target) => (target === undefined ? [] : [{ user, target }]))
  })
  await inParallel(follows, atOnceMax, ({ user, target }) =>
    surely(() => relate(author, { kind: 'follow', user, target, on: true })),
  )
  await inParallel(load.users, atOnceMax, (user) =>
    surely(() => publish(author, { author: user, text: `${user} says hello` })),
  )
}

/** Until it is acknowledged. */
async function surely(write: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < triesMax; tries += 1) {
    if (await write()) return
    await wait(pauseMs)
  }
  throw new Error('the servers take no writes')
}
