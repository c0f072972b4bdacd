// What decided a post's way comes through the wire as it was.

import { expect, test } from 'vitest'
import type { Explanation } from '../../../../cells/ports/cell-client.ts'
import { ExplainReply } from '../../../../gen/cellfeed/internal/v1/cell_service.ts'
import { explanationOf, wireExplanation } from '../../../../services/cell/cell-messages.ts'

const TOLD: Explanation = {
  verdict: 'on-dashboard',
  source: 'pulled',
  coveredFromSecond: 7,
  authorPulled: false,
  pairLeftOut: true,
  classFigures: {
    postsPerS: 1,
    followers: 2,
    pullsPerS: 3,
    deliveredUs: 4,
    pulledUs: 5,
    leastUs: 6,
  },
  pairFigures: { postsPerS: 11, readsPerS: 12, pullsPerS: 15, deliveredUs: 13, pulledUs: 14 },
  readerClass: 'heavy',
  slot: 8,
  lagMs: 9,
}
const NOT_TOLD = {
  source: undefined,
  coveredFromSecond: undefined,
  classFigures: undefined,
  pairFigures: undefined,
  readerClass: undefined,
}

test.for([TOLD, { ...TOLD, ...NOT_TOLD }])('an explanation is read as it was written', (why) => {
  const bytes = ExplainReply.encode(wireExplanation(why)).finish()
  expect(explanationOf(ExplainReply.decode(bytes))).toEqual(why)
})
