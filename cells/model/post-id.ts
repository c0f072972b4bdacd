// Post ids and event ids: 64 bits, ordered by time. 42 bits of milliseconds since 2000-01-01 UTC, 10 bits of worker, 12 bits
// of sequence. A bigint at the edges; two unsigned 32-bit halves (hi, lo) wherever a loop runs over many of them.

declare const postIdBrand: unique symbol
export type PostId = bigint & { readonly [postIdBrand]: true }
declare const eventIdBrand: unique symbol
export type EventId = bigint & { readonly [eventIdBrand]: true }

/** 2000-01-01T00:00:00Z in Unix milliseconds: the zero of all ids. */
export const ID_EPOCH_MS = 946_684_800_000
export const WORKER_MAX = 1023
export const SEQUENCE_MAX = 4095
const LOW_BITS = 22n
// Where ids are taken apart and put together: 10 ns, against 70-150 ns by shifts of bigints, each of which makes a new one.
const whole = new BigUint64Array(1)
const halves = new Uint32Array(whole.buffer)
const LO = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? 0 : 1
const HI = 1 - LO
const ID_MAX = (1n << 64n) - 1n
const MS_MAX = 2 ** 42 - 1

/** The number as a post id; undefined when it is not in 1 .. 2^64-1. */
export function toPostId(value: bigint): PostId | undefined {
  return value > 0n && value <= ID_MAX ? (value as PostId) : undefined
}

/** Reads the digits of an id as they travel in the public API; undefined when they are none. */
export function parsePostId(digits: string): PostId | undefined {
  return /^[1-9][0-9]{0,19}$/.test(digits) ? toPostId(BigInt(digits)) : undefined
}

export function hiOf(id: PostId | EventId): number {
  whole[0] = id
  return halves[HI] as number
}

export function loOf(id: PostId | EventId): number {
  whole[0] = id
  return halves[LO] as number
}

export function postIdOf(hi: number, lo: number): PostId {
  halves[HI] = hi
  halves[LO] = lo
  return whole[0] as PostId
}

/** Whether one id in halves is greater than another. */
export function isAbove(hi: number, lo: number, otherHi: number, otherLo: number): boolean {
  return hi > otherHi || (hi === otherHi && lo > otherLo)
}

/** Unix milliseconds in which the id was made. */
export function msOf(id: PostId | EventId): number {
  whole[0] = id
  return msOfHalves(halves[HI] as number, halves[LO] as number)
}

/** The same from halves: 32 bits of hi and the upper 10 of lo. */
export function msOfHalves(hi: number, lo: number): number {
  return hi * 1024 + (lo >>> 22) + ID_EPOCH_MS
}

/** Whole seconds since ID_EPOCH_MS in which the id was made. Fits 31 bits until 2068. */
export function secondOfHalves(hi: number, lo: number): number {
  return Math.floor((hi * 1024 + (lo >>> 22)) / 1000)
}

export function composeId(at: { ms: number; worker: number; sequence: number }): bigint {
  const ms = Math.min(Math.max(at.ms - ID_EPOCH_MS, 0), MS_MAX)
  return (BigInt(ms) << LOW_BITS) | BigInt(at.worker * (SEQUENCE_MAX + 1) + at.sequence)
}

/** The smallest id made at or after this Unix millisecond. */
export function firstIdAt(ms: number): PostId {
  return composeId({ ms, worker: 0, sequence: 0 }) as PostId
}

/** An imported post's id: its time, and 22 bits drawn from the product's own id so that a repeat names the same post. */
export function importedPostId(createdAtMs: number, drawn22: number): PostId {
  const low = drawn22 & 0x3f_ffff
  return composeId({ ms: createdAtMs, worker: low >>> 12, sequence: low & SEQUENCE_MAX }) as PostId
}
