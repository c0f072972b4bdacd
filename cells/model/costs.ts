// What the ways to serve cost, in microseconds and bytes, as the running cell measures them: each a decaying mean of what was done lately.
// An operator may set any of them instead. What was never measured is taken as on the machine this was written on, which counts for little
// beside what is measured here.
//
// One outlier (a collection of garbage, a machine that sleeps) must not turn a policy: no observation counts for more than
// OUTLIER times what is known.

export type Costs = {
  /** An author's chain in the window, for a page that merges it. */
  readonly chainUs: number
  /** An entry of the window that a page walks past, asked whether its author is followed. */
  readonly walkedUs: number
  /** Somebody whom a reader follows, asked in each generation for what they posted. */
  readonly edgeUs: number
  /** An entry delivered: gathered, sorted, packed. */
  readonly entryUs: number
  /** Bytes that a delivered entry takes in its chunk. */
  readonly entryBytes: number
  /** An author whose stored posts a page reads. Which of those without coverage these are, see pull-share.ts. */
  readonly pullUs: number
  /** A reader's chunk, or row, beside what is in it. */
  readonly chunkUs: number
  /** A page that gets down to the inbox: its chunks read and unpacked. */
  readonly inboxUs: number
}
export type CostName = keyof Costs

export const COSTS_EXPECTED: Costs = {
  chainUs: 0.1,
  walkedUs: 0.04,
  edgeUs: 0.03,
  entryUs: 0.06,
  entryBytes: 6.5,
  pullUs: 60,
  chunkUs: 8,
  inboxUs: 40,
}

/** Units after which an observation has lost two thirds of its weight. */
const MEMORY = {
  chainUs: 1e6,
  walkedUs: 1e6,
  edgeUs: 1e6,
  entryUs: 1e6,
  entryBytes: 1e6,
  pullUs: 1e4,
  chunkUs: 1e4,
  inboxUs: 1e3,
}
const OUTLIER = 8
/** What is expected counts as so many times less than MEMORY. */
const EXPECTED_COUNTS = 16
/** What is also waited for is taken for the work as far as it is little: more than was known counts so many times less. */
const WAITED_FOR: ReadonlySet<CostName> = new Set(['chunkUs'])
const PATIENCE = 8

export class CostMeter {
  readonly #set: Partial<Costs>
  readonly #measured: { -readonly [name in CostName]: number } = { ...COSTS_EXPECTED }
  /** Units that what is known rests on, up to MEMORY. */
  readonly #known: Partial<Record<CostName, number>> = {}

  constructor(set: Partial<Costs> = {}) {
    this.#set = set
  }

  /** So many units took so much together. A watch that stands still says nothing. */
  note(name: CostName, units: number, took: number): void {
    if (units > 0 && took > 0) this.#note(name, units, took)
  }

  /** So many units took what remains of a time when something else is taken from it: nothing, if that is more. */
  noteRest(name: CostName, units: number, rest: number): void {
    if (units > 0) this.#note(name, units, Math.max(0, rest))
  }

  #note(name: CostName, units: number, took: number): void {
    const known = this.#measured[name]
    // However little it was of late.
    const each = Math.min(took / units, Math.max(known, COSTS_EXPECTED[name]) * OUTLIER)
    const isWait = each > known && WAITED_FOR.has(name)
    const rests = this.#known[name] ?? MEMORY[name] / EXPECTED_COUNTS
    const memory = isWait ? rests * PATIENCE : rests
    this.#measured[name] = known + (each - known) * (1 - Math.exp(-units / memory))
    this.#known[name] = Math.min(MEMORY[name], rests + units)
  }

  get(name: CostName): number {
    return this.#set[name] ?? this.#measured[name]
  }

  get all(): Costs {
    return { ...this.#measured, ...this.#set }
  }
}
