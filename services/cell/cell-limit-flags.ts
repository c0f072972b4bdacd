// The bounds of a cell that an operator can change, as flags of `serve` and of `cell`.

import { CELL_LIMITS, type CellLimits } from '../../cells/model/cell-limits.ts'
import { duration, type Flag, flag, integer } from '../runtime/flags.ts'
import { POLICY_FIELDS, POLICY_FLAGS, type PolicyGiven, policyOf } from './policy-flags.ts'

export const CELL_LIMIT_FIELDS = {
  windowPosts: integer(1_000, 16_000_000).default(CELL_LIMITS.windowPostsKept),
  generationPosts: integer(100, 100_000_000).optional(),
  generationAge: duration().default(CELL_LIMITS.generationMs),
  checkpointInterval: duration().default(CELL_LIMITS.checkpointMs),
  ...POLICY_FIELDS,
}

export const CELL_LIMIT_FLAGS: readonly Flag[] = [
  flag(
    '--window-posts <count>',
    'windowPosts',
    'newest posts kept in memory, per cell (default: 1000000)',
  ),
  flag(
    '--generation-posts <count>',
    'generationPosts',
    'posts after which they are written into inboxes (default: 1000000, at most --window-posts)',
  ),
  flag(
    '--generation-age <time>',
    'generationAge',
    'or time after which they are, if that is earlier (default: 1h)',
  ),
  flag(
    '--checkpoint-interval <time>',
    'checkpointInterval',
    'time between checkpoints of a cell (default: 10s)',
  ),
  ...POLICY_FLAGS,
]

type Given = PolicyGiven & {
  readonly windowPosts: number
  readonly generationPosts?: number | undefined
  readonly generationAge: number
  readonly checkpointInterval: number
}

const UNREAD_CAP = 1_000

export function cellLimitsOf(given: Given): CellLimits {
  return Object.freeze({
    ...CELL_LIMITS,
    windowPostsKept: given.windowPosts,
    windowPostsMax: Math.max(CELL_LIMITS.windowPostsMax, given.windowPosts * 4),
    generationPosts:
      given.generationPosts ?? Math.min(CELL_LIMITS.generationPosts, given.windowPosts),
    generationMs: given.generationAge,
    checkpointMs: given.checkpointInterval,
    policy: policyOf(given),
    costs: given.costs,
    unreadCap: UNREAD_CAP,
  })
}

export function cellLimitConflicts(given: Given): string[] {
  if ((given.generationPosts ?? 0) <= given.windowPosts) return []
  return ['--generation-posts: at most --window-posts, as generations are parts of the window']
}
