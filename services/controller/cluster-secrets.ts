// Secrets that all processes of a cluster share, kept in the control store: the keys that seal page tokens. The first
// process to need one makes it.

import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import type { ControlStore } from '../../cells/ports/control-store.ts'

const PAGE_TOKEN_KEYS = 'secrets/page-tokens'
const SECRET_BYTES = 32

export type SecretKey = { readonly id: number; readonly secret: Uint8Array }

const documentOf = z.object({
  keys: z.array(z.object({ id: z.int().positive(), secret: z.base64() })).min(1),
})

export async function pageTokenKeys(control: ControlStore): Promise<SecretKey[]> {
  const found = await control.get(PAGE_TOKEN_KEYS)
  if (found !== undefined) {
    const document = documentOf.parse(JSON.parse(Buffer.from(found.value).toString()))
    return document.keys.map(({ id, secret }) => ({ id, secret: Buffer.from(secret, 'base64') }))
  }
  const first = { id: 1, secret: randomBytes(SECRET_BYTES) }
  const document = { keys: [{ id: first.id, secret: first.secret.toString('base64') }] }
  const made = await control.compareAndSet(
    PAGE_TOKEN_KEYS,
    0,
    Buffer.from(JSON.stringify(document)),
  )
  return made === undefined ? pageTokenKeys(control) : [first]
}
