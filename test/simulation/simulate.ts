// One run: a world made by the seed's dice, a story by dice in it, and a comparison at the end. Everything that happens is a task
// of the scheduler, so the seed decides it all.

import { known, Violation } from './violation.ts'
import type { MakeCell } from './simulated-cell.ts'
import { Company } from './company.ts'
import { askSomeCopy } from './copies.ts'
import { cutOverTwice } from './cut-over-twice.ts'
import { Faults } from './faults.ts'
import { operate } from './operations.ts'
import { Movers } from './movers.ts'
import { Dice } from './random.ts'
import { Readers } from './readers.ts'
import { settle } from './settle.ts'
import type { Tally } from './tally.ts'
import { Trace } from './trace.ts'
import { Watcher } from './watcher.ts'
import { World } from './world.ts'
import { Writers } from './writers.ts'

export type Outcome = {
  readonly seed: number
  readonly violation: Violation | undefined
  readonly tally: Tally
  readonly trace: Trace
  readonly steps: number
}

const STEPS_MAX = 400_000
const STORY = { write: 55, read: 32, operate: 8, fault: 11, move: 12 } as const
const READS = {
  page: 8,
  walk: 6,
  'walk up': 4,
  unread: 3,
  post: 5,
  'public post': 2,
  'author posts': 3,
  'public author posts': 1,
  following: 2,
  followers: 2,
  explain: 3,
  watch: 3,
  'wrong cell': 3,
  copy: 8,
  status: 1,
} as const
const ACTIVE_MAX = 12

/** Runs what happens in a world, to its end. */
export type Tell = (world: World) => Promise<void>

export async function simulate(
  seed: number,
  options: { readonly makeCell: MakeCell; readonly keepsTrace?: boolean; readonly tell?: Tell },
): Promise<Outcome> {
  const trace = new Trace({ keepsLines: options.keepsTrace === true })
  const world = new World({ seed, trace, makeCell: options.makeCell })
  const onStray = (error: unknown): void => world.report(error)
  process.on('unhandledRejection', onStray)
  try {
    const story = { isTold: false }
    world.spawn('the end', async () => {
      await (options.tell ?? tell)(world)
      story.isTold = true
    })
    while (!story.isTold && world.violation === undefined) {
      const goesOn = await world.scheduler.step()
      if (!goesOn) world.report(new Violation('nothing is left to happen, but the story goes on'))
      if (world.scheduler.steps > STEPS_MAX) world.report(new Violation('busy for ever'))
    }
  } finally {
    process.off('unhandledRejection', onStray)
    for (const host of world.hosts) host.end()
  }
  const { violation, tally, scheduler } = world
  return { seed, violation, tally, trace, steps: scheduler.steps }
}

async function tell(world: World): Promise<void> {
  const dice = new Dice(world.seed, 'story')
  const readers = new Readers(world, new Dice(world.seed, 'readers'))
  const writers = new Writers(world, new Dice(world.seed, 'writers'))
  const company = new Company(world, { readers, writers, dice: new Dice(world.seed, 'company') })
  const faults = new Faults(world, company, new Dice(world.seed, 'faults'))
  const movers = new Movers(world, new Dice(world.seed, 'movers'))
  for (const host of world.hosts) host.boot()
  movers.start()
  company.start()
  await writers.befriend()
  const mood = dice.sway(STORY)
  const turns = dice.between(40, 160)
  for (let turn = 0; turn < turns; turn++) {
    await world.sleepUs(pauseUs(dice))
    const kind = dice.weighted(mood)
    if (kind === 'write') world.spawn('writing', () => writers.act())
    else if (kind === 'operate') world.spawn('an operation', () => operate(world, dice))
    else if (kind === 'move') world.spawn('a move', () => movers.operate())
    else if (kind === 'fault') world.spawn('a fault', () => faults.strike())
    else if (world.active < ACTIVE_MAX) read(world, { readers, writers, dice })
  }
  await cutOverTwice(world, movers, dice)
  company.stop()
  await settle(world, { readers, writers, dice, movers })
}

function pauseUs(dice: Dice): number {
  const kind = dice.below(100)
  if (kind < 45) return dice.below(300_000)
  if (kind < 86) return dice.below(9_000_000)
  if (kind < 98) return dice.below(60_000_000)
  return dice.below(900_000_000)
}

function read(
  world: World,
  {
    readers,
    writers,
    dice,
  }: { readonly readers: Readers; readonly writers: Writers; readonly dice: Dice },
): void {
  const viewer = dice.pick(world.users)
  const other = dice.pick(world.users)
  const host = dice.pick(world.hosts)
  const post =
    writers.posts.length === 0
      ? undefined
      : dice.pick(writers.posts.slice(dice.chance(0.4) ? -2 : -30))
  const kind = dice.weighted<keyof typeof READS>(READS)
  world.spawn(`${kind} for ${viewer.id}`, async () => {
    switch (kind) {
      case 'page':
        await readers.page(viewer, {
          limit: dice.pick([1, 3, 10]),
          from: undefined,
          countUnreadTo: 5,
        })
        return
      case 'walk':
        await readers.walkDown(viewer)
        return
      case 'walk up':
        return readers.walkUp()
      case 'unread':
        return readers.countUnread(viewer)
      case 'post':
        return post && readers.post(viewer, host, post)
      case 'public post':
        return post && readers.post(undefined, host, post)
      case 'author posts':
        return readers.authorPosts(viewer, host, other)
      case 'public author posts':
        return readers.authorPosts(undefined, host, other)
      case 'following':
        return readers.following(viewer)
      case 'followers':
        return readers.followers(host, other)
      case 'explain':
        return post && readers.explain(viewer, post)
      case 'watch': {
        const watcher = new Watcher({
          world,
          dice: new Dice(known(world.seed, 'seed'), 'watcher'),
          readers,
          viewer,
        })
        return watcher.watch(dice.pick([5_000_000, 60_000_000, 400_000_000]))
      }
      case 'status':
        return readers.status(host)
      case 'copy':
        return askSomeCopy(world, dice)
      case 'wrong cell':
        return readers.askWrongCell(viewer)
    }
  })
}
