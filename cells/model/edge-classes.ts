// Which of the authors whom a reader follows are left out of the reader's inbox, by cost: the rule of delivery-policy.ts for each pair.
// A pair that is left out has no coverage at all: pages pull that author's posts when they come below the window.

import type { Costs } from './costs.ts'
import { type DeliveryPolicy, entryCostUs, isLeftOut, paysOff } from './delivery-policy.ts'
import type { NumberMap } from './number-map.ts'
import { horizonOf, pullShare } from './pull-share.ts'
import { COVERED_FROM, NOT_COVERED } from './reader.ts'

/** What becomes of an edge, by its place. */
export const STAYS = 0
export const LEFT_OUT = 1
export const TAKEN_IN = 2

const LEAST_RATE = 1e-30

/** In place of the rate of an author whose posts nobody's inbox gets: below zero. */
export function ratePulled(postsPerS: number): number {
  return -postsPerS - LEAST_RATE
}

export type EdgeDemand = {
  /** By author: posts a second, as `ratePulled` where nobody's inbox gets them. Of those who came since nothing is known. */
  readonly rates: Float32Array
  /** How often the reader reads below the window. */
  readonly readsPerS: number
  /** Between two generations. */
  readonly generationS: number
  /** How far back the window reaches. */
  readonly windowS: number
}

export class EdgeClasses {
  readonly #policy: DeliveryPolicy
  readonly #costs: Costs
  #changes = new Uint8Array(1024)
  /** Rates of the authors whom the reader follows: reads at random overlap in a loop of their own. */
  #followed = new Float32Array(1024)
  #horizonS = 0
  /** As decided of the last reader: entries a second into the inbox, and what the edges cost, microseconds a second. */
  entriesPerS = 0
  costUs = 0
  leftOut = 0
  /** What the reader's inbox would cost beside entries, written and read, if nobody were left out of those who are not pulled. */
  chunksOfAllUs = 0

  constructor(policy: DeliveryPolicy, costs: Costs) {
    this.#policy = policy
    this.#costs = costs
  }

  /** STAYS, LEFT_OUT or TAKEN_IN of each edge (compact). Undefined when nothing changes, or not enough to write the row for it. */
  decide(edges: NumberMap, of: EdgeDemand): Uint8Array | undefined {
    if (this.#policy.mode === 'pulled') return this.leaveAll(edges, of)
    const { size } = edges
    const changes = this.#changesFor(edges, of)
    const savedUs = this.#decideEach(edges, of, changes)
    const changed = savedUs > 0 && paysOff(savedUs, size, this.#costs, this.#policy)
    if (changed || this.#policy.mode === 'delivered') this.#tally(edges, of, changes)
    else this.#tally(edges, of, changes.fill(STAYS))
    return changes.some((change) => change !== STAYS) ? changes : undefined
  }

  /** Of a reader whose edges may not change now. */
  keep(edges: NumberMap, of: EdgeDemand): undefined {
    this.#tally(edges, of, this.#changesFor(edges, of).fill(STAYS))
    return undefined
  }

  /** The same for a reader who is to get nothing, whatever it costs to pull. */
  leaveAll(edges: NumberMap, of: EdgeDemand): Uint8Array | undefined {
    const { words, size } = edges
    const changes = this.#changesFor(edges, of)
    for (let i = 0; i < size; i++) {
      changes[i] = ((words[i] as number) & COVERED_FROM) === NOT_COVERED ? STAYS : LEFT_OUT
    }
    this.#tally(edges, of, changes)
    return changes.some((change) => change !== STAYS) ? changes : undefined
  }

  #changesFor({ keys, size }: NumberMap, { rates, windowS }: EdgeDemand): Uint8Array {
    if (this.#changes.length < size) {
      this.#changes = new Uint8Array(2 * size)
      this.#followed = new Float32Array(2 * size)
    }
    const followed = this.#followed
    let postsPerS = 0
    for (let i = 0; i < size; i++) {
      const rate = rates[keys[i] as number] ?? 0
      followed[i] = rate
      postsPerS += Math.abs(rate)
    }
    this.#horizonS = horizonOf(postsPerS, size, windowS)
    return this.#changes.subarray(0, size)
  }

  /** Answers what the changes save, microseconds a second. */
  #decideEach(edges: NumberMap, of: EdgeDemand, changes: Uint8Array): number {
    const policy = this.#policy
    const entryUs = entryCostUs(this.#costs, policy)
    const edgeUs = this.#costs.edgeUs / of.generationS
    const { words, size } = edges
    const followed = this.#followed
    let savedUs = 0
    // Of those who are kept: what they cost either way.
    let keptUs = 0
    let keptPulledUs = 0
    // Of those: whom the inbox has not had.
    let newcomersUs = 0
    let newcomersPulledUs = 0
    // Authors whom nobody's inbox gets, and who are asked for posts all the same.
    let askedInVain = 0
    let hasInbox = false
    for (let i = 0; i < size; i++) {
      changes[i] = STAYS
      const postsPerS = followed[i] as number
      const before = ((words[i] as number) & COVERED_FROM) === NOT_COVERED
      if (postsPerS < 0) {
        if (!before) askedInVain++
        continue
      }
      const pulledUs = this.#pulledUs(postsPerS, of)
      const deliveredUs = postsPerS * entryUs + edgeUs
      const after = isLeftOut(before, deliveredUs, pulledUs, policy)
      hasInbox ||= !before
      if (before !== after) {
        changes[i] = after ? LEFT_OUT : TAKEN_IN
        savedUs += Math.abs(deliveredUs - pulledUs)
      }
      if (after) continue
      keptUs += deliveredUs
      keptPulledUs += pulledUs
      if (!before) continue
      newcomersUs += deliveredUs
      newcomersPulledUs += pulledUs
    }
    if (policy.mode !== 'by-cost') return savedUs
    // An inbox for little is not worth it either.
    const inVainUs = askedInVain * edgeUs
    const chunksUs = this.#costs.chunkUs / of.generationS + this.#inboxUs(of)
    const inboxUs = keptUs + chunksUs + inVainUs
    if (keptPulledUs > 0 && !isLeftOut(!hasInbox, inboxUs, keptPulledUs, policy)) {
      return hasInbox ? savedUs : savedUs - chunksUs - inVainUs
    }
    for (let i = 0; i < size; i++) {
      const isCovered = ((words[i] as number) & COVERED_FROM) !== NOT_COVERED
      changes[i] = isCovered ? LEFT_OUT : STAYS
    }
    // Without what was to be saved by taking in.
    const takenInUs = newcomersPulledUs - newcomersUs
    const goneUs = keptUs - newcomersUs - (keptPulledUs - newcomersPulledUs)
    return savedUs - takenInUs + goneUs + inVainUs + (hasInbox ? chunksUs : 0)
  }

  #tally(edges: NumberMap, of: EdgeDemand, changes: Uint8Array): void {
    const { words, size } = edges
    const followed = this.#followed
    const entryUs = entryCostUs(this.#costs, this.#policy)
    this.entriesPerS = 0
    this.costUs = 0
    this.leftOut = 0
    let ofAllPerS = 0
    let asked = 0
    for (let i = 0; i < size; i++) {
      const postsPerS = followed[i] as number
      const before = ((words[i] as number) & COVERED_FROM) === NOT_COVERED
      const isOut = changes[i] === STAYS ? before : changes[i] === LEFT_OUT
      if (!isOut) asked++
      if (postsPerS < 0) continue
      ofAllPerS += postsPerS
      if (isOut) this.leftOut++
      else this.entriesPerS += postsPerS
      // Who does not post is pulled in nobody's reckoning.
      if (postsPerS > 0) this.costUs += isOut ? this.#pulledUs(postsPerS, of) : postsPerS * entryUs
    }
    const edgeUs = this.#costs.edgeUs / of.generationS
    this.costUs += this.#chunksUs(this.entriesPerS, of) + asked * edgeUs
    this.chunksOfAllUs = this.#chunksUs(ofAllPerS, of) + size * edgeUs
  }

  #pulledUs(postsPerS: number, { readsPerS }: EdgeDemand): number {
    const pullsPerS = readsPerS * pullShare(postsPerS, this.#horizonS)
    return pullsPerS * this.#costs.pullUs * this.#policy.latencyWeight
  }

  /** One in each generation, if there is anything in it; and what pages read them for. */
  #chunksUs(entriesPerS: number, of: EdgeDemand): number {
    if (entriesPerS === 0) return 0
    return this.#costs.chunkUs * Math.min(entriesPerS, 1 / of.generationS) + this.#inboxUs(of)
  }

  #inboxUs({ readsPerS }: EdgeDemand): number {
    return readsPerS * this.#costs.inboxUs * this.#policy.latencyWeight
  }
}
