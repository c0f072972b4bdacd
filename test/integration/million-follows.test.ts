// One user who follows a million: nothing refuses it, and their dashboard is like any other, before and after a restart.

import { expect, test } from 'vitest'
import { IdAllocator } from '../../cells/model/id-allocator.ts'
import type { EventId } from '../../cells/model/post-id.ts'
import { userRef } from '../../cells/model/user-key.ts'
import { Stage } from '../unit/activities/stage.ts'

const FOLLOWS = 1_000_000
const BATCH = 10_000
const author = (number: number): string => `author ${number}`

test('a million follows by one user are like two', async () => {
  const stage = await Stage.open()
  const ids = new IdAllocator(9)
  const user = userRef('eve')
  for (let from = 0; from < FOLLOWS; from += BATCH) {
    const events = Array.from({ length: BATCH }, (_, i) => ({
      id: ids.allocate(stage.clock.nowMs()) as EventId,
      fact: {
        kind: 'followed',
        user,
        author: userRef(author(from + i)),
        hideReblogs: false,
        asOfMs: undefined,
      } as const,
    }))
    await stage.firehose.append(events)
  }
  await stage.follow('eve', author(3))
  for (const number of [7, FOLLOWS - 1, 3]) await stage.publish(author(number), 'hello')
  const shown = [3, FOLLOWS - 1, 7].map((number) => `${author(number)}:hello`)
  expect(await stage.dashboard('eve', 2)).toEqual(shown)
  await stage.deliver()
  await stage.checkpoint()
  await stage.restart()
  expect(await stage.dashboard('eve', 2)).toEqual(shown)
  await stage.unfollow('eve', author(3))
  expect(await stage.dashboard('eve', 2)).toEqual(shown.slice(1))
})
