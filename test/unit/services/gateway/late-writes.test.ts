// Every call that changes something says that its outcome is unknown when it takes too long, and no other call does.

import { expect, test } from 'vitest'
import type { FrontDesk } from '../../../../services/gateway/front-desk.ts'
import { dashboardService } from '../../../../services/gateway/dashboard-service.ts'
import { firehoseService } from '../../../../services/gateway/firehose-service.ts'
import type { GatewayDesk } from '../../../../services/gateway/gateway-desk.ts'
import { graphService } from '../../../../services/gateway/graph-service.ts'
import { importService } from '../../../../services/gateway/import-service.ts'
import { postService } from '../../../../services/gateway/post-service.ts'
import { userService } from '../../../../services/gateway/user-service.ts'

test('writes are taken in as writes', () => {
  const kinds = new Map<string, string>()
  const note = (kind: string) => (method: string) => kinds.set(method, kind)
  const front = { unary: note('read'), write: note('write'), stream: note('stream') }
  const desk = { front: front as unknown as FrontDesk, limits: {} } as unknown as GatewayDesk
  const services = [dashboardService, firehoseService, graphService, importService, postService]
  for (const service of [...services, userService]) service(desk)
  const of = (kind: string) => [...kinds].flatMap(([method, is]) => (is === kind ? [method] : []))
  expect(of('write').sort()).toEqual([
    'Block',
    'CreatePost',
    'DeletePost',
    'DeleteUser',
    'Follow',
    'ImportRecords',
    'LikePost',
    'MarkRead',
    'Mute',
    'Unblock',
    'Unfollow',
    'UnlikePost',
    'Unmute',
    'UpdatePost',
  ])
  expect(of('read').filter((method) => !/^(List|Get|Count|AllocatePostIds)/.test(method))).toEqual(
    [],
  )
})
