// The end of a run: all faults stop, everything in flight lands, and every dashboard, list and count of every user is compared with
// the model; then again after every cell crashed and came back, by what its store holds.

import { hasReached } from '../../cells/model/position.ts'
import type { Dice } from './random.ts'
import type { Readers } from './readers.ts'
import { Violation } from './violation.ts'
import type { World } from './world.ts'
import type { Writers } from './writers.ts'

const PATIENCE_S = 20_000

export async function settle(
  world: World,
  {
    readers,
    writers,
    dice,
  }: { readonly readers: Readers; readonly writers: Writers; readonly dice: Dice },
): Promise<void> {
  await until(
    world,
    'everybody outside is done',
    () => world.active === 1 && world.brokers.pending === 0,
  )
  clearUp(world)
  readers.isPatient = true
  await compareAll(world, { readers, writers })
  if (dice.chance(0.5)) {
    await Promise.all(world.hosts.map((host) => host.checkpoint()))
    for (const host of world.hosts) {
      if (host.serving !== undefined) await host.command(host.serving.cell.writeGeneration())
    }
    checkErased(world)
  }
  if (dice.chance(0.5)) await world.sleepUs(700_000_000)
  for (const host of world.hosts) host.crash()
  await compareAll(world, { readers, writers })
  world.tally.add('step: settled')
}

export function clearUp(world: World): void {
  for (const host of world.hosts) host.weather.clearUp()
}

async function compareAll(
  world: World,
  { readers, writers }: { readonly readers: Readers; readonly writers: Writers },
): Promise<void> {
  await until(world, 'every cell serves', () =>
    world.hosts.every(({ serving }) => serving !== undefined),
  )
  const { end } = world.log.bounds()
  for (const user of world.users) world.noteSeen(user.key, end)
  for (const viewer of world.users) {
    if (!(await readers.walkDown(viewer, 1))) throw new Violation('a calm cell does not answer')
    await readers.countUnread(viewer)
    await readers.following(viewer)
    for (const host of world.hosts) await readers.followers(host, viewer)
    await readers.authorPosts(viewer, world.homeOf(viewer.key), viewer)
    for (const post of writers.posts.slice(-3)) await readers.explain(viewer, post)
  }
  const behind = world.hosts.find((host) => !hasReached(host.answered, end))
  if (behind !== undefined) {
    throw new Violation(`cell ${behind.name} never reached the log's end`, {
      got: behind.answered,
      want: end,
    })
  }
}

/** Of a deleted post no body is left in a store, but for what landed too late for the cell to know. */
function checkErased(world: World): void {
  for (const host of world.hosts) {
    for (const { row, late } of host.disk.posts.values()) {
      const author = host.disk.names.get(row.author)?.key
      if (row.body === undefined || late || author === undefined) continue
      const post = { author, postId: row.postId }
      const { end } = world.log.bounds()
      if (world.belonging.versions(post, { from: end, to: end }).length > 0) continue
      throw new Violation(`cell ${host.name} still stores the body of a post that was deleted`, {
        got: row.postId,
      })
    }
  }
}

/** Waits until it is so; a cluster that stays stuck is a violation. */
async function until(world: World, what: string, isSo: () => boolean): Promise<void> {
  for (let waited = 0; !isSo(); waited++) {
    if (waited > PATIENCE_S) throw new Violation(`in vain: ${what}`)
    await world.sleepUs(1_000_000)
  }
}
