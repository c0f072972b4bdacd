// HMAC-SHA-256 (RFC 2104) by two one-shot hashes: a third cheaper for a page token than node:crypto's Hmac, and no object
// for the collector. Every page has two tokens.

import { hash } from 'node:crypto'

const BLOCK_BYTES = 64
const DIGEST_BYTES = 32
const INNER_PAD = 0x36
const OUTER_PAD = 0x5c

export class HmacKey {
  readonly #inner: Buffer
  /** The outer pad, with room for the inner digest. */
  readonly #outer: Buffer

  constructor(secret: Uint8Array) {
    const key = Buffer.alloc(BLOCK_BYTES)
    key.set(secret.length > BLOCK_BYTES ? hash('sha256', secret, 'buffer') : secret)
    this.#inner = key.map((byte) => byte ^ INNER_PAD) as Buffer
    this.#outer = Buffer.alloc(BLOCK_BYTES + DIGEST_BYTES)
    this.#outer.set(key.map((byte) => byte ^ OUTER_PAD))
  }

  sign(message: Uint8Array): Buffer {
    const inner = hash('sha256', Buffer.concat([this.#inner, message]), 'buffer')
    this.#outer.set(inner, BLOCK_BYTES)
    return hash('sha256', this.#outer, 'buffer')
  }
}
