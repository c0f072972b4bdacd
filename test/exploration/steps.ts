// Everything that may happen next in a cluster.

import { cellSteps } from './cell-steps.ts'
import type { Cluster, Rules } from './cluster.ts'
import { driverSteps } from './driver-steps.ts'
import { operatorSteps } from './operator-steps.ts'

export type Step = {
  readonly did: string
  /** `cluster`: cells and drivers do it by themselves, sooner or later. */
  readonly by: 'cluster' | 'operator' | 'misfortune'
  readonly next: Cluster
}

export function stepsFrom(cluster: Cluster, rules: Rules): Step[] {
  const steps: Step[] = []
  cellSteps(cluster, rules, steps)
  driverSteps(cluster, rules, steps)
  operatorSteps(cluster, rules, steps)
  return steps
}
