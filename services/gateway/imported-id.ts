// The id of an imported post: its original time, and 22 bits of a hash of the product's own id. Nothing else goes in, so the
// same post has the same id whenever and by whomever it is imported.

import { hash } from 'node:crypto'
import { importedPostId, type PostId, toPostId } from '../../cells/model/post-id.ts'

/** Undefined for one external id in four million of the very first millisecond of 2000. */
export function idOfImported(createdAtMs: number, externalId: string): PostId | undefined {
  const digest = hash('sha256', externalId, 'buffer')
  return toPostId(importedPostId(createdAtMs, digest.readUInt32BE(0) >>> 10))
}
