// Binary keys: unsigned numbers, big-endian, so that byte order is number order. What is to be read newest first is stored as
// its complement.

const U32_MAX = 0xffff_ffff

/** Numbers of 32 bits, one after the other. Fewer of them name the place before all keys that begin so. */
export function u32Key(...numbers: readonly number[]): Buffer {
  const key = Buffer.allocUnsafe(numbers.length * 4)
  for (const [i, number] of numbers.entries()) key.writeUInt32BE(number, i * 4)
  return key
}

/** Numbers of 48 bits, one after the other. */
export function u48Key(...numbers: readonly number[]): Buffer {
  const key = Buffer.allocUnsafe(numbers.length * 6)
  for (const [i, number] of numbers.entries()) key.writeUIntBE(number, i * 6, 6)
  return key
}

/** Orders 32-bit numbers downwards. Its own inverse. */
export function downwards(number: number): number {
  return U32_MAX - number
}

/** The same bytes as a Buffer, not copied. */
export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}
