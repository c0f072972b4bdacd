// A cell is down for so long that the log keeps no more what it would read next. It must refuse to start and name the way out; then it
// is rebuilt from the other cell, which goes on meanwhile; it must not serve until somebody has said what nobody saw; and then all
// of its answers must be right again.

import { decodeCheckpoint } from '../../cells/model/rows.ts'
import type { CellHost } from './cell-host.ts'
import type { Company } from './company.ts'
import type { Dice } from './random.ts'
import { reconcile } from './reconcile.ts'
import { dieUntilTakenOver } from './takeovers.ts'
import { known, Violation } from './violation.ts'
import type { World } from './world.ts'

type Parts = {
  readonly world: World
  readonly host: CellHost
  readonly donor: CellHost
  readonly company: Company
  readonly dice: Dice
}

/** What is younger stays in the log: event ids are remembered for less. */
const RETENTION_MS = 600_000
const TRAPS = ['posts.put', 'names.put', 'readers.put', 'authors.put', 'checkpoints.put'] as const
const TRIES_MAX = 200

export async function loseRecords({ world, host, donor, company, dice }: Parts): Promise<void> {
  const snapshotsBefore = world.snapshotsFromMs
  world.snapshotsFromMs = Number.POSITIVE_INFINITY
  const isKeptAside = dice.chance(0.7)
  if (isKeptAside) world.keptAside = host.name
  host.hold()
  host.crash()
  host.weather.clearUp()
  if (!(await isOvertaken({ world, host, company, dice }))) {
    world.snapshotsFromMs = snapshotsBefore
    host.release()
    world.keptAside = undefined
    return
  }
  await refuses(world, host)
  if (dice.chance(0.4)) host.weather.trap = trapOf(dice)
  for (let tries = 0; !(await host.rebuild(donor)); tries++) {
    if (tries > TRIES_MAX) throw new Violation('a rebuild never ends')
    await donor.checkpoint()
    await world.sleepUs(30_000_000)
  }
  world.tally.add('step: rebuilt')
  if (keepsNobody(host)) {
    // Nobody lives there: nobody's relations were missed.
    world.snapshotsFromMs = snapshotsBefore
    host.release()
    world.keptAside = undefined
    return
  }
  host.isGapOpen = true
  host.release()
  world.keptAside = undefined
  // Whoever takes over now knows what this cell has missed; it must not take back what it had.
  if (isKeptAside && dice.chance(0.4)) await dieUntilTakenOver(world, host, dice)
  world.snapshotsFromMs = await reconcile(world, host, dice)
  world.tally.add('fault: records lost')
}

/** The log goes on and forgets, but nothing that the donor needs. Answers whether it forgot what the host needs. */
async function isOvertaken({ world, host, company, dice }: Omit<Parts, 'donor'>): Promise<boolean> {
  const tries = dice.between(2, 8)
  const others = world.hosts.filter((other) => other !== host)
  for (let i = 0; i < tries; i++) {
    await world.sleepUs(dice.between(300_000_000, 900_000_000))
    for (const other of others) await other.checkpoint()
    await company.relateSome()
  }
  // A checkpoint may have landed late meanwhile.
  const own = host.disk.checkpoint
  if (own === undefined) return false
  const { position } = decodeCheckpoint(own.bytes)
  const { log, belonging } = world
  // One that reads where the log starts just then would find a gap; started once more it finds none.
  if (others.some(({ isStarting }) => isStarting)) return false
  let isGone = false
  for (let partition = 0; partition < log.partitions; partition++) {
    if (dice.chance(0.2)) continue
    const end = known(log.bounds().end[partition], 'an end')
    const { logMs } = belonging.model.state(partition, end)
    const youngMs = Math.min(logMs, world.wall.nowMs - RETENTION_MS)
    const young = log.recordsOf(partition).find(({ appendedAtMs }) => appendedAtMs > youngMs)
    const needed = others.map(({ readAgainFrom }) => known(readAgainFrom[partition], 'an offset'))
    const start = Math.min(young?.offset ?? end, ...needed)
    if (start > known(position[partition], 'an offset')) {
      log.truncate(partition, start)
      isGone = true
    }
  }
  return isGone
}

async function refuses(world: World, host: CellHost): Promise<void> {
  const gapsBefore = host.gapsSeen
  host.expectGap()
  host.boot()
  for (let waited = 0; host.gapsSeen === gapsBefore; waited++) {
    if (host.serving !== undefined) throw new Violation('a cell serves although records are gone')
    if (waited > 1_000) throw new Violation('a cell does not refuse although records are gone')
    if (!host.isRunning) host.boot()
    await world.sleepUs(1_000_000)
  }
}

function trapOf(dice: Dice): CellHost['weather']['trap'] {
  const at = dice.pick(['issue', 'acknowledge'] as const)
  return { op: dice.pick(TRAPS), at, countdown: dice.below(4) }
}

function keepsNobody({ disk: { checkpoint } }: CellHost): boolean {
  return checkpoint !== undefined && decodeCheckpoint(checkpoint.bytes).kept?.length === 0
}
