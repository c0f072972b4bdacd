// What of the delivery policy an operator can change, as flags of `serve` and of `cell`.

import { z } from 'zod'
import { COSTS_EXPECTED, type CostName, type Costs } from '../../cells/model/costs.ts'
import { DELIVERY_POLICY, type DeliveryPolicy } from '../../cells/model/delivery-policy.ts'
import { duration, type Flag, flag } from '../runtime/flags.ts'

const MODES = { 'by-cost': 'by-cost', always: 'delivered', never: 'pulled' } as const
const MODE_NAMES = Object.keys(MODES) as [keyof typeof MODES, ...(keyof typeof MODES)[]]
const WEIGHT_MIN = 0.01
const WEIGHT_MAX = 100

/** As they are written: chain-us=0.1. */
const COST_NAMES = new Map(
  (Object.keys(COSTS_EXPECTED) as CostName[]).map((name) => [dashed(name), name]),
)
const COST = /^(?<name>[a-z-]+)=(?<value>\d{1,9}(?:\.\d{1,6})?)$/

export const POLICY_FIELDS = {
  delivery: z.enum(MODE_NAMES, `wants one of ${MODE_NAMES.join(', ')}`).default('by-cost'),
  latencyWeight: z
    .string()
    .refine(
      (text) => Number(text) >= WEIGHT_MIN && Number(text) <= WEIGHT_MAX,
      `wants a number from ${WEIGHT_MIN} to ${WEIGHT_MAX}`,
    )
    .transform(Number)
    .default(DELIVERY_POLICY.latencyWeight),
  dormantAfter: duration().default(DELIVERY_POLICY.dormantMs),
  costs: z
    .string()
    .refine(
      (text) => costsIn(text) !== undefined,
      `wants costs such as pull-us=60,entry-us=0.06; there are ${[...COST_NAMES.keys()].join(', ')}`,
    )
    .transform((text) => costsIn(text) ?? {})
    .default({}),
}

export const POLICY_FLAGS: readonly Flag[] = [
  flag(
    '--delivery <when>',
    'delivery',
    "whether authors' posts are put into inboxes: by-cost, always or never (default: by-cost)",
  ),
  flag(
    '--latency-weight <factor>',
    'latencyWeight',
    'how much dearer a pull counts than it is: above 1, quicker deep pages for more work (default: 1)',
  ),
  flag(
    '--dormant-after <time>',
    'dormantAfter',
    'readers who have not read for so long leave memory until they do (default: 30d)',
  ),
  flag(
    '--costs <costs>',
    'costs',
    'costs that count instead of those measured, such as pull-us=60,entry-us=0.06',
  ),
]

export type PolicyGiven = {
  readonly delivery: keyof typeof MODES
  readonly latencyWeight: number
  readonly dormantAfter: number
  readonly costs: Partial<Costs>
}

export function policyOf({ delivery, latencyWeight, dormantAfter }: PolicyGiven): DeliveryPolicy {
  return { ...DELIVERY_POLICY, mode: MODES[delivery], latencyWeight, dormantMs: dormantAfter }
}

function costsIn(text: string): Partial<Costs> | undefined {
  const costs: { -readonly [name in CostName]?: number } = {}
  for (const part of text.split(',')) {
    const groups = COST.exec(part.trim())?.groups
    const name = COST_NAMES.get(groups?.['name'] ?? '')
    if (name === undefined) return undefined
    costs[name] = Number(groups?.['value'])
  }
  return costs
}

function dashed(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}
