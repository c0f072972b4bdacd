// A user inside cellfeed: the product's own id, and a 128-bit hash of it. The hash decides slot and partition and breaks ties
// between equal post ids; it is what cursors and messages between cells carry. Collision-resistant, because products let
// people choose their ids.

import { hash } from 'node:crypto'

declare const userKeyBrand: unique symbol
/** 16 bytes as a string of 16 characters 0..255, so that `<` is byte order and a Map can hold it. */
export type UserKey = string & { readonly [userKeyBrand]: true }

export type UserRef = { readonly id: string; readonly key: UserKey }

export const USER_ID_BYTES_MAX = 64

/** Truncated SHA-256 of the id's UTF-8 bytes. */
export function userKey(id: string): UserKey {
  return hash('sha256', id, 'binary').slice(0, 16) as UserKey
}

export function userRef(id: string): UserRef {
  return { id, key: userKey(id) }
}

/** The word at `index` (0..3), big-endian, as an unsigned 32-bit number. */
export function keyWord(key: UserKey, index: number): number {
  const at = index * 4
  return (
    ((key.charCodeAt(at) << 24) |
      (key.charCodeAt(at + 1) << 16) |
      (key.charCodeAt(at + 2) << 8) |
      key.charCodeAt(at + 3)) >>>
    0
  )
}

export function userKeyOfBytes(bytes: Uint8Array): UserKey | undefined {
  return bytes.length === 16 ? (String.fromCharCode(...bytes) as UserKey) : undefined
}

export function bytesOfUserKey(key: UserKey): Uint8Array {
  return Buffer.from(key, 'latin1')
}
