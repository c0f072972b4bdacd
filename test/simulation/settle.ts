// The end of a run: all faults stop, everything in flight lands, and every dashboard, list and count of every user is compared with
// the model; then again after every cell crashed and came back, by what its store holds.

import { hasReached } from '../../cells/model/position.ts'
import type { UserKey } from '../../cells/model/user-key.ts'
import { askWholeCopy } from './copies.ts'
import type { Dice } from './random.ts'
import { type Movers, movesAreOver } from './movers.ts'
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
    movers,
  }: {
    readonly readers: Readers
    readonly writers: Writers
    readonly dice: Dice
    readonly movers: Movers
  },
): Promise<void> {
  await until(
    world,
    'everybody outside is done',
    () => world.active === 1 && world.brokers.pending === 0,
  )
  clearUp(world)
  readers.isPatient = true
  await until(world, 'every move is over', () => movesAreOver(world))
  movers.stop()
  await compareAll(world, { readers, writers })
  if (dice.chance(0.5)) {
    await Promise.all(world.hosts.map((host) => host.checkpoint()))
    for (const host of world.hosts) {
      const { serving } = host
      if (serving !== undefined) await host.command(serving.cell.writeGeneration(), serving)
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
  for (const move of world.placement.moves) await askWholeCopy(world, move)
  const behind = world.hosts.find((host) => !hasReached(host.answered, end))
  if (behind !== undefined) {
    throw new Violation(`cell ${behind.name} never reached the log's end`, {
      got: behind.answered,
      want: end,
    })
  }
}

/** Of deleted posts no body is left in a store, of deleted users no name; but for what landed after the cell had done it. */
function checkErased(world: World): void {
  const { end } = world.log.bounds()
  const { belonging } = world
  const isGone = (user: UserKey): boolean =>
    belonging.model
      .state(belonging.publicOf(user), end[belonging.publicOf(user)] ?? 0)
      .deletedUsers.has(user)
  for (const { name, disk } of world.hosts) {
    for (const { key, id, late } of disk.names.values()) {
      if (id !== '' && !late && isGone(key)) {
        throw new Violation(`cell ${name} still stores the name of a deleted user`, { got: id })
      }
    }
    for (const { row, late } of disk.posts.values()) {
      const author = disk.names.get(row.author)?.key
      if (row.body === undefined || late || author === undefined) continue
      const versions = belonging.versions({ author, postId: row.postId }, { from: end, to: end })
      if (versions.length > 0 && !isGone(author)) continue
      throw new Violation(`cell ${name} still stores the body of a deleted post`, {
        got: row.postId,
      })
    }
  }
  world.tally.add('step: looked for what was erased')
}

/** Waits until it is so; a cluster that stays stuck is a violation. */
export async function until(world: World, what: string, isSo: () => boolean): Promise<void> {
  for (let waited = 0; !isSo(); waited++) {
    if (waited > PATIENCE_S) throw new Violation(`in vain: ${what}`)
    await world.sleepUs(1_000_000)
  }
}
