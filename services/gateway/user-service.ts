// UserService: users exist by being named; all there is to do with one is to delete it, for good.

import type { UserServiceService } from '../../gen/cellfeed/v1/user_service.ts'
import type { GatewayDesk } from './gateway-desk.ts'
import type { Handlers } from './service-book.ts'
import { checkUser } from './validate.ts'

export function userService(desk: GatewayDesk): Handlers<UserServiceService> {
  return {
    deleteUser: desk.front.write('DeleteUser', async (request, context) => {
      const user = checkUser(request.userId, 'user_id')
      const { token } = await desk.writer.write([{ kind: 'user-deleted', user }], context.signal)
      return { consistencyToken: token }
    }),
  }
}
