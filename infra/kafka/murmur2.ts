// Which partition a key belongs to, as Kafka's Java clients decide it: murmur2 (Austin Appleby's hash, 32 bits, seed
// 0x9747b28c) of the key's bytes, made positive, modulo the number of partitions. Other producers of the same topics then put
// everything about one user where this one does.

const SEED = 0x9747b28c
const M = 0x5bd1e995

export function partitionOfKey(key: Uint8Array, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions
}

/** A signed 32-bit number, as in Java. */
export function murmur2(bytes: Uint8Array): number {
  const { length } = bytes
  const words = length >> 2
  let hash = SEED ^ length
  for (let word = 0; word < words; word++) {
    let k = Math.imul(littleEndian(bytes, word << 2, 4), M)
    k = Math.imul(k ^ (k >>> 24), M)
    hash = Math.imul(hash, M) ^ k
  }
  const rest = length & 3
  if (rest > 0) hash = Math.imul(hash ^ littleEndian(bytes, words << 2, rest), M)
  hash = Math.imul(hash ^ (hash >>> 13), M)
  return hash ^ (hash >>> 15)
}

function littleEndian(bytes: Uint8Array, at: number, count: number): number {
  let word = 0
  for (let i = 0; i < count; i++) word |= (bytes[at + i] ?? 0) << (8 * i)
  return word
}
