// A process that finds its control store without the documents of a cluster.

import { EXIT_USAGE } from './lifecycle.ts'
import { StartFailure } from './run-process.ts'

export function noCluster(): StartFailure {
  const line =
    'there is no cluster under this prefix yet: run "cellfeed init" first, or name another with --prefix'
  return new StartFailure(line, EXIT_USAGE)
}
