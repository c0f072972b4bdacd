// Compares what the target of a move shows with what the source shows: relations, read mark and dashboard of its readers; and, apart
// from the source and all that was copied, the target's dashboards with what its authors' stored posts make of them.
//
// The two cells apply the same log, each at its own pace: what differs is looked at again as of a later position of both, and only
// what stays different counts.

import { ANY_EPOCH, type Move, slotsIn } from '../model/placement.ts'
import { largerOf, type Position } from '../model/position.ts'
import { firstIdAt } from '../model/post-id.ts'
import type { UserKey } from '../model/user-key.ts'
import type { Clock } from '../ports/clock.ts'
import type { Answer, Call, CellClient, DashboardQuery, Place } from '../ports/cell-client.ts'

export type VerificationLimits = {
  /** Readers compared, of all slots together, taken evenly. */
  readonly readersMax: number
  /** Posts compared of each dashboard, from the top. */
  readonly postsMax: number
  /** Of so many readers, taken evenly, as many posts below the windows of both cells, where inboxes are: each is a pull of all they follow. */
  readonly belowMax: number
  /** How often a difference is looked at. */
  readonly looksMax: number
}
export const VERIFICATION_LIMITS: VerificationLimits = {
  readersMax: 256,
  postsMax: 50,
  belowMax: 16,
  looksMax: 5,
}

/** A cell did not answer in time: nothing is known. */
export class NotVerified extends Error {
  readonly code = 'NOT_VERIFIED'
  override readonly name = 'NotVerified'
}

type Seen = { readonly text: string; readonly position: Position }
type Look = (cell: CellClient, seen: Position) => Promise<Seen>

const PAGE = 50
const READERS_PAGE = 1_000
/** Most slots have few readers, or none: one after another they would take a round trip each. */
const SLOTS_AT_ONCE = 64
/** Of more users whose copies differ nothing is told. */
const NAMED_MAX = 10

/** Undefined when both show the same; else what differs of whom. Without a source: by the target's posts alone. */
export async function differenceOf(
  move: Move,
  parts: {
    readonly source: CellClient | undefined
    readonly target: CellClient
    readonly clock: Pick<Clock, 'yield'>
  },
  signal: AbortSignal,
  limits: VerificationLimits = VERIFICATION_LIMITS,
): Promise<string | undefined> {
  const { source, target, clock } = parts
  const holders = source === undefined ? [target] : [source, target]
  // Copied inboxes may hold posts that a target which lags has not applied yet.
  const { logEnd = [] } = await target.slots({ logEnd: true })
  const below = await belowWindows(holders)
  const differing: string[] = []
  const sample = await sampleOf(move, holders, limits.readersMax)
  const everyBelow = Math.max(1, Math.ceil(sample.length / limits.belowMax))
  for (const [i, { user, slot }] of sample.entries()) {
    const isDeep = i % everyBelow === 0
    const what = await whatDiffers(user, {
      postsMax: limits.postsMax,
      below: isDeep ? below : undefined,
    })
    if (what !== undefined)
      differing.push(`${what} of the user ${await nameOf(user, slot, holders)}`)
    if (differing.length === NAMED_MAX) break
  }
  return differing.length === 0 ? undefined : differing.join(', ')

  async function whatDiffers(user: UserKey, depth: Depth): Promise<string | undefined> {
    const call = { viewer: user, epoch: ANY_EPOCH, signal }
    const asked: readonly [string, CellClient | undefined, Look, Look][] = [
      ['relations', source, relations(call), relations(call)],
      ['dashboard', source, dashboard(call, depth), dashboard(call, depth)],
      ['posts', target, pulled(call, depth), dashboard(call, depth)],
    ]
    for (const [what, other, theirs, ours] of asked) {
      if (other === undefined) continue
      // Cells of this process answer without waiting for anything.
      await clock.yield()
      const looks = { from: logEnd, looksMax: limits.looksMax, theirs, ours }
      if (!(await isSame({ other, target }, looks))) return what
    }
    return undefined
  }
}

async function isSame(
  { other, target }: { readonly other: CellClient; readonly target: CellClient },
  { from, looksMax, theirs, ours }: { from: Position; looksMax: number; theirs: Look; ours: Look },
): Promise<boolean> {
  let seen = from
  for (let looks = 0; looks < looksMax; looks++) {
    const one = await theirs(other, seen)
    const two = await ours(target, largerOf(one.position, seen))
    if (one.text === two.text) return true
    // The other way round: of the two the first was asked earlier.
    const again = await theirs(other, two.position)
    if (again.text === two.text) return true
    seen = largerOf(again.position, two.position)
  }
  return false
}

/** Readers of the slots whom either cell has, evenly. */
async function sampleOf(
  move: Move,
  holders: readonly CellClient[],
  readersMax: number,
): Promise<{ readonly user: UserKey; readonly slot: number }[]> {
  const all = new Map<UserKey, number>()
  const slots = slotsIn(move.slots)
  for (let from = 0; from < slots.length; from += SLOTS_AT_ONCE) {
    const some = slots.slice(from, from + SLOTS_AT_ONCE)
    const found = some.flatMap((slot) =>
      holders.map(async (cell) => ({ slot, users: await readersAt(cell, slot) })),
    )
    for (const { slot, users } of await Promise.all(found)) {
      for (const user of users) all.set(user, slot)
    }
  }
  const every = Math.max(1, Math.ceil(all.size / readersMax))
  const sample = new Map([...all].filter((_, i) => i % every === 0))
  for (const { user, slot } of move.pins) sample.set(user, slot)
  return [...sample].map(([user, slot]) => ({ user, slot }))
}

/** The user's id as one of the cells knows it; without any the hash. */
async function nameOf(
  user: UserKey,
  slot: number,
  holders: readonly CellClient[],
): Promise<string> {
  for (const cell of holders) {
    let after: UserKey | undefined
    do {
      const page = await cell.readersOf(slot, { after, limit: READERS_PAGE, withIds: true })
      const id = page?.ids[page.readers.indexOf(user)] ?? ''
      if (id !== '') return id
      after = page?.next
    } while (after !== undefined)
  }
  return Buffer.from(user, 'latin1').toString('hex')
}

async function readersAt(cell: CellClient, slot: number): Promise<UserKey[]> {
  const found: UserKey[] = []
  let after: UserKey | undefined
  do {
    const page = await cell.readersOf(slot, { after, limit: READERS_PAGE })
    if (page === undefined) throw new NotVerified(`slot ${slot} is not wholly at ${cell.cell}`)
    found.push(...page.readers)
    after = page.next
  } while (after !== undefined)
  return found
}

function relations(call: Omit<Call, 'seen'>): Look {
  return async (cell, seen) => {
    const parts: string[] = []
    let position = seen
    let after: UserKey | undefined
    do {
      const answer = await cell.relations({ ...call, seen: position }, { after, limit: 1_000 })
      position = at(answer)
      const { value } = there(answer)
      for (const { user, follows, hideReblogs, blocks, mutes, blockedBy } of value.related) {
        const bits = [follows, hideReblogs, blocks, mutes, blockedBy].map(Number).join('')
        // One that was undone leaves a trace at one cell that it need not leave at the other.
        if (bits !== '00000') parts.push(`${user}${bits}`)
      }
      parts.push(String(value.readMark))
      after = value.next
    } while (after !== undefined)
    return { text: parts.join(), position }
  }
}

/** A place that neither cell's window reaches down to. */
async function belowWindows(cells: readonly CellClient[]): Promise<Place | undefined> {
  const starts = await Promise.all(
    cells.map(async (cell) => (await cell.status()).windowStartsAtMs),
  )
  const known = starts.filter((ms) => ms !== undefined)
  if (known.length === 0) return undefined
  return { postId: firstIdAt(Math.min(...known)), author: '' as UserKey }
}

type Depth = { readonly postsMax: number; readonly below: Place | undefined }

function dashboard(call: Omit<Call, 'seen'>, depth: Depth): Look {
  return (cell, seen) => newestAndBelow(cell, call, seen, { ...depth, isPulled: false })
}

function pulled(call: Omit<Call, 'seen'>, depth: Depth): Look {
  return (cell, seen) => newestAndBelow(cell, call, seen, { ...depth, isPulled: true })
}

async function newestAndBelow(
  cell: CellClient,
  call: Omit<Call, 'seen'>,
  seen: Position,
  { below, ...which }: Depth & { readonly isPulled: boolean },
): Promise<Seen> {
  const newest = await pages(cell, call, seen, { ...which, from: undefined })
  if (below === undefined) return newest
  const from = { direction: 'older', place: below } as const
  const { text, position } = await pages(cell, call, newest.position, { ...which, from })
  return { text: `${newest.text};${text}`, position }
}

async function pages(
  cell: CellClient,
  call: Omit<Call, 'seen'>,
  seen: Position,
  {
    postsMax,
    isPulled,
    from: first,
  }: {
    readonly postsMax: number
    readonly isPulled: boolean
    readonly from: DashboardQuery['from']
  },
): Promise<Seen> {
  const names: string[] = []
  let position = seen
  let from = first
  while (names.length < postsMax) {
    const limit = Math.min(PAGE, postsMax - names.length)
    const query = { limit, from, countUnreadTo: undefined, pulled: isPulled }
    const answer = await cell.dashboard({ ...call, seen: position }, query)
    position = at(answer)
    const { posts, older } = there(answer).value
    for (const { author, postId } of posts) names.push(`${postId}${author}`)
    if (older === undefined) break
    from = { direction: 'older', place: older }
  }
  return { text: names.join(), position }
}

function there<T>(answer: Answer<T>): Extract<Answer<T>, { kind: 'ok' }> {
  if (answer.kind === 'ok') return answer
  throw new NotVerified(`a cell answered ${answer.kind}`)
}

function at(answer: Answer<unknown>): Position {
  return there(answer).position
}
