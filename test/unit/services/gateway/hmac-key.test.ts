// The same as node:crypto's, for keys and messages of every length.

import { createHmac } from 'node:crypto'
import * as fc from 'fast-check'
import { test } from 'vitest'
import { HmacKey } from '../../../../services/gateway/hmac-key.ts'

test('signs as HMAC-SHA-256 does', () => {
  const bytes = fc.uint8Array({ maxLength: 200 })
  fc.assert(
    fc.property(bytes, bytes, (secret, message) => {
      const expected = createHmac('sha256', secret).update(message).digest()
      return new HmacKey(secret).sign(message).equals(expected)
    }),
  )
})
